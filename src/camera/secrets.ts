/** Keeps credentials out of what is shown, logged and sent. */
import type { Credentials } from './types.ts';

const HIDDEN = '***';

/** An address without what may be secret: user, password, query and fragment. */
export function shownAddress(address: string): string {
  const url = URL.parse(address);
  if (url === null) return address.replace(/\/\/[^/]*@/, '//').replace(/[?#].*$/s, '');
  return `${url.protocol}//${url.host}${url.pathname}`;
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

/** A function that hides the credentials, and what an address has of them, in any text. */
export function createMask(address: string, credentials: Credentials): (text: string) => string {
  const url = URL.parse(address);
  const inAddress = url === null ? [] : [url.password, ...url.searchParams.values()];
  const secrets = [credentials.password, credentials.token, ...inAddress, ...inAddress.map(decoded)]
    .filter((secret): secret is string => secret !== undefined && secret !== '')
    .flatMap((secret) => [secret, encodeURIComponent(secret)])
    // The longest first: one may be a part of another.
    .toSorted((a, b) => b.length - a.length);
  return (text) =>
    secrets
      // What is as short as "1" says nothing, and would hide half of the text.
      .filter((secret) => secret.length > 2)
      .reduce((masked, secret) => masked.replaceAll(secret, HIDDEN), text)
      .replace(/(\w+:\/\/)[^/\s'"@]*@/g, `$1${HIDDEN}@`)
      .replace(/(\w+:\/\/[^\s'"?]*)\?[^\s'"]*/g, `$1?${HIDDEN}`);
}

/** A part of an address as it was meant; as it stands where its `%` are none of an encoding. */
export function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
