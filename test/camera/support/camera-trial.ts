/** A source and a camera in the hand of the test. */
import { setImmediate } from 'node:timers/promises';
import { Camera, type CameraOptions, type CameraState } from '../../../src/camera/camera.ts';
import type { Frame, FrameSource } from '../../../src/camera/types.ts';
import { FakeClock } from '../../engine/support/fakes.ts';

/** What comes from it is pushed, or asked of `next`. */
export class FakeSource implements FrameSource {
  readonly isLive: boolean;
  isComplete = false;
  opened = 0;
  open_ = 0;
  /** What the next frame is; a promise: it waits. */
  next: () => Promise<Buffer | undefined> = async () => Buffer.from('frame');
  #push: PromiseWithResolvers<Buffer | Error | undefined> = Promise.withResolvers();

  constructor(isLive: boolean) {
    this.isLive = isLive;
  }

  /** A frame comes, or the connection fails, or ends. */
  push(what: Buffer | Error | undefined): void {
    const { resolve } = this.#push;
    this.#push = Promise.withResolvers();
    resolve(what);
  }

  async *open(signal: AbortSignal): AsyncGenerator<Buffer, void> {
    this.opened++;
    this.open_++;
    try {
      for (;;) {
        const aborted = new Promise<never>((_resolve, reject) => {
          if (signal.aborted) reject(signal.reason as Error);
          signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
        });
        aborted.catch(() => {});
        const what = await Promise.race([aborted, this.isLive ? this.#push.promise : this.next()]);
        if (what instanceof Error) throw what;
        if (what === undefined) return;
        yield what;
      }
    } finally {
      this.open_--;
    }
  }
}

/** Resolves when what can happen without time has happened. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 10; turn++) await setImmediate();
}

/** A camera whose frames stay in the flow until {@link finish}. */
export class CameraTrial {
  readonly clock = new FakeClock();
  readonly frames: Frame[] = [];
  readonly states: CameraState[] = [];
  /** The flow is done with the last frame, and wants no other for so long (milliseconds). */
  finish: (rest?: number) => void = () => {};
  #camera: Camera | undefined;

  open(source: FrameSource, more: Partial<CameraOptions> = {}): Camera {
    this.#camera = new Camera({
      source,
      pace: 'flow',
      rate: undefined,
      clock: this.clock,
      random: () => 0.5,
      deliver: (frame) => {
        this.frames.push(frame);
        const { promise, resolve } = Promise.withResolvers<number>();
        this.finish = (rest = 0) => resolve(rest);
        return promise;
      },
      onState: (state) => this.states.push(state),
      ...more,
    });
    this.#camera.start();
    return this.#camera;
  }

  async stop(): Promise<void> {
    await this.#camera?.stop();
  }

  /** Of the frames that went out. */
  get images(): string[] {
    return this.frames.map(({ image }) => image.toString());
  }

  /** The reasons why it was offline, and `online`, in order. */
  get told(): (string | null)[] {
    return this.states.map(({ state, reason }) => reason ?? state);
  }
}
