/** The one way out of the sources' texts: whatever an error quotes, the credentials are not in it. */
import { M2fpError } from '../errors.ts';
import { CameraError } from './camera-error.ts';
import { createMask } from './secrets.ts';
import type { Credentials, FrameSource } from './types.ts';

interface Secrets {
  /** As it was entered, with `{user}` and the like. */
  address: string;
  credentials: Credentials;
}

/**
 * A source whose errors tell nothing of the credentials, also those with which it is made.
 * @throws {M2fpError} what `create` throws, masked
 */
export function withoutSecrets({ address, credentials }: Secrets, create: () => FrameSource): FrameSource {
  const mask = createMask(address, credentials);
  let source: FrameSource;
  try {
    source = create();
  } catch (error) {
    throw masked(error, mask);
  }
  return new MaskedSource(source, mask);
}

class MaskedSource implements FrameSource {
  readonly #source: FrameSource;
  readonly #mask: (text: string) => string;

  constructor(source: FrameSource, mask: (text: string) => string) {
    this.#source = source;
    this.#mask = mask;
  }

  get isLive(): boolean {
    return this.#source.isLive;
  }

  get isComplete(): boolean {
    return this.#source.isComplete;
  }

  async *open(signal: AbortSignal): AsyncGenerator<Buffer, void> {
    try {
      yield* this.#source.open(signal);
    } catch (error) {
      // Why it was stopped is the caller's own.
      throw signal.aborted && error === signal.reason ? error : masked(error, this.#mask);
    }
  }
}

/** `error`, or one like it: a stack and a cause quote what the message does. */
function masked(error: unknown, mask: (text: string) => string): unknown {
  const text = error instanceof Error ? error.message : String(error);
  const message = mask(text);
  const isPlain = message === text && (error as { cause?: unknown } | null)?.cause === undefined;
  if (isPlain && error instanceof Error) return error;
  if (error instanceof CameraError) return new CameraError(error.reason, message);
  if (error instanceof M2fpError) return new M2fpError(error.code, message);
  return new CameraError('error', message);
}
