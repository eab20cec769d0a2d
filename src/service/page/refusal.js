// What is said of an answer that holds no result.
import { chinese, text, texts } from './texts.js';

/** Whose own words tell more: how many are allowed, and when. They are English. */
const OWN_WORDS = new Set(['M2FP_BUSY', 'M2FP_IMAGE_TOO_LARGE']);

/** Of a server between the browser and Node-RED. */
const OF_PROXIES = {
  401: 'proxyDenied',
  403: 'proxyDenied',
  407: 'proxyDenied',
  413: 'proxyTooLarge',
  429: 'proxyBusy',
  502: 'proxyAlone',
  503: 'proxyAlone',
  504: 'proxyAlone',
};

/** Whether a header can hold the key: of other characters, browsers send nothing at all. */
export const isSendable = (key) => /^[!-~]*$/.test(key);

/** @param answer the body, where it is JSON @param key that was sent */
export function wordsOf(status, answer, key) {
  const { code, detail, retryAfter } = answer ?? {};
  if (typeof code !== 'string') return text(OF_PROXIES[status] ?? 'noAnswer', status);
  if (code === 'M2FP_UNAUTHORIZED') return text(key ? 'wrongKey' : code);
  if (!chinese && OWN_WORDS.has(code) && detail) return detail;
  if (code === 'M2FP_BUSY' && retryAfter > 0) return text('busyFor', retryAfter);
  return texts[code] ?? text('failed', detail ?? code);
}
