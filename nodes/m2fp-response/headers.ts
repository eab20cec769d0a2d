/** `msg.headers` of an answer: what the flow has put there, as far as it is about no other body, and the answer's own. */

/** Of an answer that an http request node got somewhere else: it stands for all of them. */
const FOREIGN = 'x-node-red-request-node';

/** What tells of a body, or of a connection. */
const OF_A_BODY =
  /^(?:content-.*|transfer-encoding|connection|keep-alive|etag|last-modified|accept-ranges|trailer|upgrade|date)$/i;

const RETRY_AFTER = 'retry-after';

/** Seconds after which whoever refused the request wants it again; undefined where nobody has said so. */
export function toldIn(given: unknown): number | undefined {
  const told = Number((given as Record<string, unknown> | null | undefined)?.[RETRY_AFTER]);
  return told > 0 ? told : undefined;
}

/**
 * @param given `msg.headers` as it came
 * @param own those of the answer, in lower case, which go before the others
 */
export function headersFor(given: unknown, own: Readonly<Record<string, string>>): Record<string, unknown> {
  if (typeof given !== 'object' || given === null || FOREIGN in given) return { ...own };
  const isKept = (name: string): boolean => !OF_A_BODY.test(name) && name !== RETRY_AFTER && !(name in own);
  const kept = Object.entries(given).filter(([name]) => isKept(name.toLowerCase()));
  return { ...Object.fromEntries(kept), ...own };
}
