/** What may be wrong with workers, and what to do about it. None of it repeats a password. */
import { M2fpError } from '../../../errors.ts';
import type { ModelManifest } from '../../../m2fp/manifest.ts';
import type { WorkerAddress } from '../client/transport.ts';
import { RedisFailure } from './address.ts';

/** @param reason why there is no connection; null where there is one, but nobody works */
export function unavailable({ url, queue }: WorkerAddress, reason: M2fpError | null): M2fpError {
  if (reason === null) {
    return new M2fpError(
      'M2FP_ENGINE_UNAVAILABLE',
      `No worker serves the queue "${queue}" at ${url}: start one there: m2fp worker --redis ${url} --queue ${queue}`,
    );
  }
  const trouble = reason instanceof RedisFailure ? reason.trouble : 'lost';
  const what =
    trouble === 'lost'
      ? `There is no way to the workers of the queue "${queue}" at ${url}`
      : `The workers of the queue "${queue}" get no pictures`;
  return new RedisFailure(`${what}: ${reason.message}`, trouble, { cause: reason });
}

/**
 * @param expected the model that the engine was made for
 * @param now the model that all workers have instead
 */
export function otherModel(
  { url, queue }: WorkerAddress,
  expected: ModelManifest,
  now: ModelManifest,
): M2fpError {
  return new M2fpError(
    'M2FP_MODEL_INVALID',
    `The workers of the queue "${queue}" at ${url} have another model now, ${describe(now)} in place of ${describe(expected)}: deploy again to use it.`,
  );
}

/** @param timeout milliseconds that were allowed */
export function unanswered({ url, queue }: WorkerAddress, timeout: number): M2fpError {
  return new M2fpError(
    'M2FP_TIMEOUT',
    `The workers of the queue "${queue}" at ${url} did not answer within ${timeout} ms: allow more time, start more workers, or send fewer or smaller pictures.`,
  );
}

function describe({ id, digest }: ModelManifest): string {
  return `${id} (${digest.slice(0, 12)})`;
}
