/** Shared results over computations that the test ends. */
import { DroppedRequest } from '../../../src/engine/dropped.ts';
import { type Fate, type RequestEvent, requestEvents } from '../../../src/engine/events.ts';
import { completeQueueOptions } from '../../../src/engine/options.ts';
import { checkPicture } from '../../../src/engine/picture.ts';
import { ResultSharing } from '../../../src/engine/sharing.ts';
import type { ParseOptions, QueueOptions } from '../../../src/engine/types.ts';
import { M2fpError } from '../../../src/errors.ts';
import type { NetworkInput } from '../../../src/image/types.ts';
import type { Parsing } from '../../../src/parsing/types.ts';
import { FakeClock, MANIFEST } from './fakes.ts';
import { exampleParsing } from './parsings.ts';

/** How the events of the engine under test name it. */
export const LABELS = { model: MANIFEST.id, digest: MANIFEST.digest.slice(0, 12) };

/** A computation that the test ends; it publishes as the engine does. */
export class Computation {
  readonly text: string;
  readonly signal: AbortSignal;
  readonly promise: Promise<Parsing>;
  ended = false;
  readonly #image: Buffer;
  #resolve!: (parsing: Parsing) => void;
  #reject!: (error: unknown) => void;

  constructor(image: Buffer, signal: AbortSignal) {
    this.text = image.subarray(0, 20).toString();
    this.#image = image;
    this.signal = signal;
    this.promise = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    signal.addEventListener('abort', () =>
      this.fail(new M2fpError('M2FP_CANCELLED', 'aborted'), 'cancelled'),
    );
  }

  finish(parsing = exampleParsing(this.#image)): void {
    this.#end(() => this.#resolve(parsing), 'completed');
  }

  fail(error: unknown, fate: Fate = 'failed'): void {
    this.#end(() => this.#reject(error), fate);
  }

  drop(reason: 'replaced' | 'expired'): void {
    this.fail(new DroppedRequest(reason), reason);
  }

  #end(settle: () => void, fate: Fate): void {
    if (this.ended) return;
    this.ended = true;
    requestEvents.publish({ engine: LABELS, fate, cached: false, queue: 1 });
    settle();
  }
}

/** A request, all of whose parts have a default. */
export interface Asked {
  image?: Buffer | NetworkInput;
  options?: ParseOptions;
  queue?: QueueOptions;
  signal?: AbortSignal;
}

/** Makes {@link ResultSharing} for each test without a cache, and returns it with what asks it and what came of that. */
export function sharingUnderTest() {
  let clock: FakeClock;
  let sharing: ResultSharing;
  let unsubscribe: () => void;
  const computations: Computation[] = [];
  const events: RequestEvent[] = [];

  function open(cacheSize = 0, maxQueue = 8): void {
    sharing = new ResultSharing(MANIFEST, { cacheSize, maxQueue }, clock);
  }

  function ask(asked: Asked | string = {}): Promise<Parsing> {
    const {
      image = Buffer.from('a'),
      options = {},
      queue = {},
      signal,
    } = typeof asked === 'string' ? { image: Buffer.from(asked) } : asked;
    const picture = checkPicture(image, MANIFEST.input, options);
    return sharing.parse({ picture, options, queue: completeQueueOptions(queue), signal }, (abort) => {
      const computation = new Computation(picture.source, abort);
      computations.push(computation);
      return computation.promise;
    });
  }

  const fates = (): string[] => events.map(({ fate, cached }) => (cached ? `${fate} cached` : fate));

  beforeEach(() => {
    clock = new FakeClock();
    computations.length = 0;
    events.length = 0;
    unsubscribe = requestEvents.subscribe((event) => events.push(event));
    open();
  });
  afterEach(() => unsubscribe());

  return {
    get clock() {
      return clock;
    },
    get sharing() {
      return sharing;
    },
    computations,
    events,
    open,
    ask,
    fates,
  };
}
