/**
 * Where pictures wait whose model is being downloaded, converted or looked for, by the rules of the engine's line that
 * they will stand in later: a camera that sends on meanwhile keeps one picture there, its newest.
 */
import { systemClock, type Clock } from '../../src/clock.ts';
import { DroppedRequest } from '../../src/engine/queue/dropped.ts';
import { completeQueueOptions } from '../../src/engine/options.ts';
import { FairQueue } from '../../src/engine/queue/queue.ts';
import type { Engine, QueueOptions } from '../../src/engine/types.ts';
import type { ModelNode } from '../common/model.ts';

/** Only requests that come while the model is on its way wait here; the one that started it does not. */
const ROOM = { free: 0, limit: Infinity };

export class ModelWaitQueue {
  readonly #clock: Clock;
  readonly #line: FairQueue<AbortController>;

  constructor(clock: Clock = systemClock) {
    this.#clock = clock;
    this.#line = new FairQueue({
      clock,
      onDrop: (guest, reason) => guest.abort(new DroppedRequest(reason)),
    });
  }

  /**
   * The engine when it is there, and the options for its line, less the age that the picture has reached here.
   * @throws {M2fpError} `M2FP_BUSY` where the line is full, or the picture is one that does not wait; what
   *   {@link ModelNode.engine} throws
   * @throws {DroppedRequest} for a picture that a newer one replaced, or that has become too old
   */
  async enter(
    model: ModelNode,
    options: QueueOptions,
    signal: AbortSignal,
  ): Promise<{ engine: Engine; queue: QueueOptions }> {
    const since = this.#clock.now();
    const engine = model.isComing() ? await this.#wait(model, options, signal) : await model.engine(signal);
    const { maxAge = 0 } = options;
    if (maxAge === 0) return { engine, queue: options };
    const left = maxAge - (this.#clock.now() - since);
    if (left <= 0) throw new DroppedRequest('expired');
    return { engine, queue: { ...options, maxAge: Math.ceil(left) } };
  }

  async #wait(model: ModelNode, options: QueueOptions, signal: AbortSignal): Promise<Engine> {
    const guest = new AbortController();
    this.#line.add(guest, completeQueueOptions(options), ROOM);
    try {
      return await model.engine(AbortSignal.any([signal, guest.signal]));
    } finally {
      this.#line.delete(guest);
    }
  }
}
