/** What a worker's engine says to one request of a client. */
import { hostname } from 'node:os';
import { asM2fpError, M2fpError } from '../../../errors.ts';
import type { Parsing } from '../../../parsing/types.ts';
import type { ChildParsing } from '../../protocol.ts';
import type { Engine } from '../../types.ts';
import type { WorkerFacts } from '../client/transport.ts';
import { packAnswer, unpackRequest } from '../redis/codec.ts';

/** Where its jobs wait for it: BullMQ hands out no more than there are processes. */
const QUEUE = { lane: 'remote', limit: 10_000 };

/**
 * Parses the picture of a request.
 * @param request packed; an error: why it could not be fetched
 * @param options.queue the queue's name, for people
 * @param options.mayGiveBack whether another worker may still try
 * @returns the answer, packed, also where it is an error; null where the engine gave up without having looked at the picture, and
 *   another worker may still try
 */
export async function answerRequest(
  engine: Engine,
  request: Buffer | M2fpError,
  { queue, signal, mayGiveBack }: { queue: string; signal: AbortSignal; mayGiveBack: boolean },
): Promise<Buffer | null> {
  try {
    if (request instanceof M2fpError) throw request;
    const { digest, image, options, trial } = unpackRequest(request);
    const { manifest } = engine.info();
    if (digest !== manifest.digest) {
      throw new M2fpError(
        'M2FP_MODEL_INVALID',
        `The picture is meant for another model than the workers of the queue ${queue} have: ${describeModel(manifest)}.`,
      );
    }
    const parsing = await engine.parse({ image, options, queue: QUEUE, ...(trial && { trial }), signal });
    return await packAnswer({ parsing: withoutWorker(parsing) });
  } catch (error) {
    const known = asM2fpError(error, 'M2FP_ENGINE_CRASHED');
    if (!isDown(engine, known)) return packAnswer({ error: known });
    // Told as a crash, it would count against the picture.
    return mayGiveBack ? null : packAnswer({ error: downHere(known) });
  }
}

/** A model in words. */
export function describeModel({ id, precision, digest }: WorkerFacts['manifest']): string {
  return `${id} (${precision}, ${digest.slice(0, 12)})`;
}

/** Whether the error is why the engine parses nothing at the moment, and not what came of one picture. */
function isDown(engine: Engine, { code, message, cause }: M2fpError): boolean {
  // A picture that is refused for the crashes before it has the last of those as its cause.
  if (code === 'M2FP_ENGINE_CRASHED' && cause instanceof M2fpError) return true;
  return engine.info().failure?.message === message;
}

/** What clients get: the rest they know themselves. */
function withoutWorker({
  image: _image,
  model: _model,
  cached: _cached,
  timing,
  ...rest
}: Parsing): ChildParsing {
  const { queue: _queue, total: _total, ...stages } = timing;
  return { ...rest, timing: stages };
}

function downHere(error: M2fpError): M2fpError {
  return new M2fpError(
    'M2FP_ENGINE_UNAVAILABLE',
    `The engine of the worker on ${hostname()} parses nothing at the moment: ${error.message}`,
    { cause: error },
  );
}
