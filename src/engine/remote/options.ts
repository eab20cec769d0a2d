/** What callers say about workers on other machines, checked and in full. */
import { M2fpError } from '../../errors.ts';
import { checkInteger, checkLimits, ENGINE_DEFAULTS, MAX_MEBIBYTES, MAX_TIMEOUT } from '../options.ts';
import { redisAddress } from './address.ts';
import type { WorkerAddress } from './link.ts';
import { namesOf } from './names.ts';

export interface RemoteEngineOptions {
  address: WorkerAddress;
  /** Requests that may wait here in all; one more is refused with M2FP_BUSY. */
  maxQueue?: number;
  /** Milliseconds from handing a picture over until it is answered; 0 = no limit. */
  timeout?: number;
  /** MiB of results that are kept here for equal pictures; 0 = none. */
  cacheSize?: number;
  /** Bytes that an encoded picture may have; what it may have of pixels is the workers' own limit, too. */
  maxBytes?: number;
  maxPixels?: number;
  /** Milliseconds that a worker is waited for when an engine is acquired and there is none; default 3000. */
  connectPatience?: number;
}

/** Milliseconds that a first worker is waited for. */
export const CONNECT_PATIENCE = 3000;

const DEFAULTS = {
  maxQueue: ENGINE_DEFAULTS.maxQueue,
  timeout: ENGINE_DEFAULTS.timeout,
  cacheSize: ENGINE_DEFAULTS.cacheSize,
  maxBytes: ENGINE_DEFAULTS.maxBytes,
  maxPixels: ENGINE_DEFAULTS.maxPixels,
  connectPatience: CONNECT_PATIENCE,
};

/** The options in full. Throws M2FP_BAD_OPTION. */
export function completeRemoteOptions(options: RemoteEngineOptions): Required<RemoteEngineOptions> {
  const given = Object.entries(options).filter(([, value]) => value !== undefined);
  const complete = { ...DEFAULTS, ...Object.fromEntries(given) } as Required<RemoteEngineOptions>;
  const { maxQueue, timeout, cacheSize, connectPatience } = complete;
  checkInteger('maxQueue', maxQueue, 0, 10_000);
  checkInteger('timeout', timeout, 0, MAX_TIMEOUT);
  checkInteger('cacheSize', cacheSize, 0, MAX_MEBIBYTES);
  checkInteger('connectPatience', connectPatience, 0, MAX_TIMEOUT);
  return {
    address: checkWorkerAddress(complete.address),
    maxQueue,
    timeout,
    cacheSize,
    connectPatience,
    ...checkLimits(complete),
  };
}

/** The address without a slash at the end of its url, as equal ones are one. Throws M2FP_BAD_OPTION. */
export function checkWorkerAddress(address: WorkerAddress): WorkerAddress {
  const { url, username, password, queue } = address;
  for (const [name, value] of Object.entries({ url, username, password, queue })) {
    if (typeof value !== 'string') throw bad(`The option ${name} must be a text.`);
  }
  // What stands before an @ may be a password: that is never repeated.
  if (url.includes('@')) {
    throw bad(
      'The option url must not contain a user name or a password: enter them in their own fields, and the address as redis://HOST:PORT.',
    );
  }
  redisAddress(address);
  namesOf(queue);
  return { url: url.replace(/\/$/, ''), username, password, queue };
}

function bad(text: string): M2fpError {
  return new M2fpError('M2FP_BAD_OPTION', text);
}
