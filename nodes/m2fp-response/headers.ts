/** `msg.headers` of an answer: what the flow has put there, as far as it is about no other body, and the answer's own. */

/** Of an answer that an http request node got somewhere else: it stands for all of them. */
const FOREIGN = 'x-node-red-request-node';

/** What tells of a body, or of a connection. */
const OF_A_BODY =
  /^(?:content-.*|transfer-encoding|connection|keep-alive|etag|last-modified|accept-ranges|trailer|upgrade|date)$/i;

/**
 * @param given `msg.headers` as it came
 * @param own those of the answer, in lower case, which go before the others
 */
export function headersFor(given: unknown, own: Readonly<Record<string, string>>): Record<string, unknown> {
  if (typeof given !== 'object' || given === null || FOREIGN in given) return { ...own };
  const kept = Object.entries(given).filter(
    ([name]) => !OF_A_BODY.test(name) && !(name.toLowerCase() in own && name.toLowerCase() !== 'retry-after'),
  );
  const names = new Set(kept.map(([name]) => name.toLowerCase()));
  // Whoever refused the request knows best when to try again.
  return {
    ...Object.fromEntries(Object.entries(own).filter(([name]) => !names.has(name))),
    ...Object.fromEntries(kept),
  };
}
