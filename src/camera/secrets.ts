/** Keeps credentials out of what is shown, logged and sent. */
import type { Credentials } from './types.ts';

const HIDDEN = '***';

/** Where an address has a login in plain text: from there on, nothing of its path is shown. */
const LOGIN_IN_PATH =
  /(?<![a-z])((?:\w*(?:user|usr|login|account|pass|pwd|psw|token|auth|secret|sign|key)\w*|u|p)=).*/is;

/** What stands before the first of these in an address is its server. */
const AFTER_SERVER = /[/?#\\]/;
/** A server that is no user name. */
const PLAIN_SERVER = /^(?:[\w.-]+|(?:\d+\.){3}\d+:\d+|\[[\da-f:.]+\](?::\d+)?)$/i;
const ANY_ADDRESS = /\b[a-z][\w+.-]*:\/\/[^\s'"<>]*/gi;

interface AddressParts {
  /** With its `//`; blank: none. */
  scheme: string;
  /** Before the `@`. */
  login: string;
  /** Server, path and query; undefined where it cannot be told from a login that should have been encoded. */
  place: string | undefined;
}

function partsOf(address: string): AddressParts {
  const [, scheme = '', rest = ''] = /^([a-z][\w+.-]*:\/\/)?(.*)$/is.exec(address.trim())!;
  const at = rest.lastIndexOf('@');
  if (at < 0) return { scheme, login: '', place: rest };
  const login = rest.slice(0, at);
  if (scheme === '') {
    // `admin:secret@10.0.0.5/x`, and not `C:\a@b.mp4` or `/a@b.mp4`.
    const isLogin = /^[^/\\]+:/.test(rest) && !/^[a-z]:[/\\]/i.test(rest);
    return isLogin ? { scheme, login, place: rest.slice(at + 1) } : { scheme, login: '', place: rest };
  }
  const end = rest.search(AFTER_SERVER);
  if (end < 0 || at < end) return { scheme, login, place: rest.slice(at + 1) };
  if (PLAIN_SERVER.test(rest.slice(0, end))) return { scheme, login: '', place: rest };
  return { scheme, login, place: undefined };
}

/** An address without what may be secret: user, password, query and fragment. */
export function shownAddress(address: string): string {
  const { scheme, place } = partsOf(address);
  if (place === undefined) return `${scheme}${HIDDEN}`;
  return `${scheme}${place.replace(/[?#].*$/s, '').replace(LOGIN_IN_PATH, `$1${HIDDEN}`)}`;
}

/** The path of a file as it is, unless it is an address without its beginning, with a login in it. */
export function shownFile(path: string): string {
  return partsOf(path).login === '' ? path : shownAddress(path);
}

/**
 * Replaces `{user}`, `{password}` and `{token}` in an address with what the credentials have, so that cameras that want a
 * login in the query need none in the flow.
 */
export function fillIn(address: string, credentials: Credentials): string {
  return address.replace(/\{(user|password|token)\}/g, (_all, name: keyof Credentials) =>
    encodeURIComponent(credentials[name] ?? ''),
  );
}

/** A text of another program with nothing of the addresses in it but their servers: the path of ours is told elsewhere. */
export function withServersOnly(text: string): string {
  return text.replace(ANY_ADDRESS, (found) => {
    const { scheme, place } = partsOf(found);
    return `${scheme}${place?.split(AFTER_SERVER, 1)[0] ?? HIDDEN}`;
  });
}

/**
 * A function that hides the credentials, and what an address has of them, in any text: as they are, as addresses encode them, and
 * of a login in the address also its parts.
 * @param address as it was entered, with `{user}` and the like
 */
export function createMask(address: string, credentials: Credentials): (text: string) => string {
  const { user = '', password = '', token = '' } = credentials;
  const filled = fillIn(address.trim(), credentials);
  const place = shownAddress(address);
  const href = filled === address.trim() ? '' : (URL.parse(filled)?.href ?? '');
  const own = [filled, href, shownAddress(href)].filter(
    (text) => text !== '' && text !== place && text !== `${place}/`,
  );
  const whole = [password, token].map((secret) => secret.trim());
  const hidden = patternOf(
    whole.filter((secret) => secret.length > 2),
    false,
  );
  const parts = patternOf(partsOfLogin(filled), true);
  const names = patternOf([user].filter(Boolean), true);
  return (text) =>
    own
      .reduce((masked, given) => masked.replaceAll(given, () => place), text)
      .replace(ANY_ADDRESS, (found) => {
        const shown = shownAddress(found);
        const [origin] = /^[^:]+:\/\/[^/?#\\]*/.exec(shown)!;
        return origin + shown.slice(origin.length).replace(names, HIDDEN);
      })
      .replace(hidden, HIDDEN)
      .replace(parts, HIDDEN);
}

/** What an address tells of a login, without its placeholders: what is as short as "1" says nothing, and would hide half of a text. */
function partsOfLogin(address: string): string[] {
  const { login, place } = partsOf(address);
  const query = /[?#](.*)$/s.exec(place ?? '')?.[1] ?? '';
  const plain = LOGIN_IN_PATH.exec(place?.replace(/[?#].*$/s, '') ?? '')?.[0] ?? '';
  const values = [...`${query}&${plain}`.matchAll(/=([^&]*)/g)].map(([, value]) => value!);
  return [login, ...login.split(':'), ...login.split(/[:/@?#%\\\s]+/), ...values]
    .flatMap((text) => [text, decoded(text)])
    .filter((text) => text.length > 3);
}

/**
 * Finds the secrets, each character of them as it is or percent-encoded, also twice.
 * @param isAlone whether letters or digits beside it make it another word
 */
function patternOf(secrets: readonly string[], isAlone: boolean): RegExp {
  const found = [...new Set(secrets)].toSorted((a, b) => b.length - a.length).map(encodings);
  if (found.length === 0) return /(?!)/g;
  const any = `(?:${found.join('|')})`;
  return new RegExp(isAlone ? `(?<![\\p{L}\\p{N}])${any}(?![\\p{L}\\p{N}])` : any, 'gu');
}

function encodings(secret: string): string {
  return Array.from(secret, (character) => {
    const bytes = Array.from(Buffer.from(character), (byte) => {
      const hex = byte.toString(16).padStart(2, '0');
      return `%(?:25)*${hex.replace(/[a-f]/g, (digit) => `[${digit}${digit.toUpperCase()}]`)}`;
    }).join('');
    const plain = `\\u{${character.codePointAt(0)!.toString(16)}}`;
    return `(?:${plain}|${bytes}${character === ' ' ? '|\\+' : ''})`;
  }).join('');
}

/** A part of an address as it was meant; as it stands where its `%` are none of an encoding. */
export function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
