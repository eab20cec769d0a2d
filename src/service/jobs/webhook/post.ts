/** One call of a webhook: to an address that was looked at before, and nowhere else. */
import { lookup as lookUp, type LookupAddress } from 'node:dns';
import http from 'node:http';
import https from 'node:https';
import { isIP, type LookupFunction } from 'node:net';
import { checkWebhook, hostOf, isAllowedAddress, type WebhookTargets } from './targets.ts';

/** Milliseconds that a receiver has for its answer. */
export const CALL_TIMEOUT = 15_000;

export interface PostOptions {
  targets: WebhookTargets;
  timeout?: number;
  signal: AbortSignal;
  /** Finds all addresses of a name. */
  resolve?: typeof lookUp;
}

/**
 * Sends `body` by POST. Redirects are not followed: where they lead, nobody has allowed.
 * @returns the status of the answer, whose body is not read
 * @throws where there is no answer, or the address may not be called
 */
export async function post(
  address: string,
  headers: Record<string, string>,
  body: string,
  { targets, timeout = CALL_TIMEOUT, signal, resolve = lookUp }: PostOptions,
): Promise<number> {
  // What the owner allows may have become less since it was accepted.
  const url = new URL(checkWebhook(address, targets));
  const host = hostOf(url);
  const isSecure = url.protocol === 'https:';
  const { promise, resolve: done, reject } = Promise.withResolvers<number>();
  const request = (isSecure ? https : http).request(url, {
    method: 'POST',
    // A connection of its own: one that is kept was looked at for another call.
    agent: false,
    signal: AbortSignal.any([signal, AbortSignal.timeout(timeout)]),
    lookup: checkedLookup(targets, resolve),
    ...(isSecure && isIP(host) === 0 && { servername: host }),
    headers: {
      ...headers,
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(body),
      'user-agent': 'm2fp-node-red',
    },
  });
  request.on('error', reject);
  request.on('response', (response) => {
    done(response.statusCode ?? 0);
    // Nothing in it matters, and it may have no end.
    response.on('error', () => {});
    response.destroy();
  });
  request.end(body);
  return promise;
}

/** Finds addresses, and only those that may be called: what is connected to is what was looked at. */
function checkedLookup({ networks }: WebhookTargets, resolve: typeof lookUp): LookupFunction {
  return (name, options, callback) => {
    resolve(
      name,
      { all: true, ...(options.family !== undefined && { family: options.family }) },
      (error, found) => {
        const addresses: LookupAddress[] = error ? [] : found;
        const allowed = addresses.filter(({ address }) => isAllowedAddress(address, networks));
        const [first] = allowed;
        if (error || first === undefined) {
          const why = new Error(
            `${name} has only private addresses: the owner of the service must name their network, too`,
          );
          callback(error ?? why, '', 0);
        } else if (options.all)
          (callback as unknown as (error: null, all: LookupAddress[]) => void)(null, allowed);
        else callback(null, first.address, first.family);
      },
    );
  };
}
