/** Whatever comes in whatever order: every message ends exactly once, the counters add up, and nothing is left. */
import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { setImmediate as nextTurn } from 'node:timers/promises';
import fc from 'fast-check';
import type { NodeMessage } from 'node-red';
import {
  type MessageEndEvent,
  messageEvents,
  type RequestEvent,
  requestEvents,
} from '../../src/engine/events.ts';
import { leavesNothingBehind } from '../engine/support/fakes.ts';
import { nodeConfig } from '../nodes/support/flows.ts';
import { deploy, type Events, send, startFlow } from '../nodes/support/red.ts';
import { type FakeChildren, fakeChildren, modelNode, order, settled } from './support/fake-children.ts';

const RUNS = 20;
const MAX_QUEUE = 4;

/** What may happen next. */
type Step =
  | { step: 'picture'; text: string; client: boolean; topic: string; m2fp: object }
  | { step: 'cancel'; topic: string }
  | { step: 'time'; ms: number }
  | { step: 'hang up' | 'kill' | 'release' | 'ready' | 'deploy' | 'redeploy' | 'unload' | 'reload' };

const topic = fc.constantFrom('a', 'b', '');
const image: fc.Arbitrary<Step> = fc.record({
  step: fc.constant('picture' as const),
  text: fc.constantFrom(
    'fine',
    'fine',
    'hold',
    'hold',
    'hang',
    'spin',
    'exit 3',
    'kill',
    'disconnect',
    'fail M2FP_BAD_IMAGE',
    'malformed',
    'twice',
  ),
  client: fc.boolean(),
  topic,
  m2fp: fc.record(
    {
      policy: fc.constantFrom('wait', 'latest', 'reject'),
      limit: fc.integer({ min: 0, max: 3 }),
      maxAge: fc.constantFrom(0, 1, 5),
      priority: fc.integer({ min: -1, max: 1 }),
    },
    { requiredKeys: [] },
  ),
});
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 8, arbitrary: image },
  { weight: 1, arbitrary: fc.record({ step: fc.constant('cancel' as const), topic }) },
  {
    weight: 2,
    arbitrary: fc.record({ step: fc.constant('time' as const), ms: fc.constantFrom(500, 5000, 25_000) }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      step: fc.constantFrom(
        'hang up',
        'kill',
        'release',
        'release',
        'ready',
        'ready',
        'deploy',
        'redeploy',
        'unload',
        'reload',
      ),
    }),
  },
);

/** One flow, and all that came of it. */
class Run {
  readonly t: FakeChildren;
  readonly ends: MessageEndEvent[] = [];
  readonly requests: RequestEvent[] = [];
  readonly #all: Events[] = [];
  readonly #responses: EventEmitter[] = [];
  readonly #stopListening: (() => void)[];
  images = 0;
  messages = 0;
  deploys = 0;

  constructor(t: FakeChildren) {
    this.t = t;
    this.#stopListening = [
      messageEvents.subscribe((event) => this.ends.push(event)),
      requestEvents.subscribe((event) => this.requests.push(event)),
    ];
  }

  #flow(threads: number) {
    const node = nodeConfig('m2fp-infer', 'node', { model: 'model', wires: [['out'], ['out2']] });
    return [this.t.model({ timeout: 20, maxQueue: MAX_QUEUE, threads }), node];
  }

  async start(): Promise<void> {
    this.#all.push(await startFlow(this.#flow(1)));
  }

  close(): void {
    for (const stop of this.#stopListening) stop();
  }

  async take(next: Step): Promise<void> {
    switch (next.step) {
      case 'picture': {
        this.messages++;
        this.images++;
        const { text, client, m2fp } = next;
        const msg = { payload: order(`${text} ${this.images}`), topic: next.topic, m2fp, n: this.messages };
        send(client ? { ...msg, res: { _res: this.#response() } } : msg);
        break;
      }
      case 'cancel':
        this.messages++;
        send({ cancel: true, topic: next.topic, n: this.messages });
        break;
      case 'time':
        this.t.clock.advance(next.ms);
        break;
      case 'hang up':
        this.#responses.pop()?.emit('close');
        break;
      case 'kill':
        await this.#signal('SIGKILL');
        break;
      case 'release':
        await this.#signal('SIGUSR2');
        break;
      case 'ready':
        await settled(async () => {
          const { state, pid } = await this.t.info();
          // Nothing but the pause after a crash keeps it from starting.
          if (state === 'loading' && pid === null) this.t.clock.advance(100);
          return state !== 'loading';
        });
        break;
      case 'deploy':
        this.deploys++;
        this.#all.push(await deploy(this.#flow(1)));
        break;
      case 'redeploy':
        this.deploys++;
        this.#all.push(await deploy(this.#flow(2)));
        break;
      case 'unload':
        void (await modelNode().engine()).unload();
        break;
      case 'reload':
        // It may be deployed in the middle of it, or the process may crash.
        modelNode()
          .reload()
          .catch(() => {});
        break;
    }
    await nextTurn();
    const { waiting } = await this.t.info();
    assert.ok(waiting <= MAX_QUEUE + 1, `${waiting} wait`);
  }

  /** Time passes, and what is held is let go, until every message has ended. */
  async end(): Promise<void> {
    let turn = 0;
    await settled(async () => {
      if (this.#done().length >= this.messages) return true;
      await this.#signal('SIGUSR2');
      if (++turn % 20 === 0) this.t.clock.advance(500);
      return false;
    });
    // What a node sends arrives a little later.
    await nextTurn();
    await nextTurn();
    await settled(async () => {
      const { waiting, running } = await this.t.info();
      if (waiting + running === 0) return true;
      await this.#signal('SIGUSR2');
      if (++turn % 20 === 0) this.t.clock.advance(500);
      return false;
    });
  }

  check(): void {
    const done = this.#done().map(({ msg }) => Number(msg['n']));
    assert.deepEqual(
      done.toSorted((a, b) => a - b),
      Array.from({ length: this.messages }, (_, index) => index + 1),
      'every message ends once',
    );
    const failed = this.#done().filter(({ code }) => code !== undefined).length;
    const told = (...fates: MessageEndEvent['fate'][]) =>
      this.ends.filter(({ fate }) => fates.includes(fate)).length;
    assert.deepEqual([told('failed'), told('sent', 'dropped')], [failed, this.messages - failed]);
    const controls = this.messages - this.images;
    const received = [this.#sent.length + controls, this.#dropped.length];
    // A flow that is being stopped takes nothing any more.
    if (this.deploys === 0) assert.deepEqual(received, [told('sent'), told('dropped')]);
    else assert.ok(received[0]! <= told('sent') && received[1]! <= told('dropped'));

    const count = (...names: RequestEvent['fate'][]) =>
      this.requests.filter(({ fate }) => names.includes(fate)).length;
    assert.ok(this.requests.length <= this.images);
    // One that completes just when it is cancelled counts as completed, and its message as cancelled.
    assert.ok(count('completed') >= told('sent') - controls);
    assert.ok(count('replaced', 'expired') >= told('dropped'));
    assert.ok(this.#dropped.every((msg) => msg['res'] === undefined));
  }

  get #sent(): NodeMessage[] {
    return this.#of(({ sent }) => sent);
  }

  get #dropped(): NodeMessage[] {
    return this.#of(({ sentOnSecondWire }) => sentOnSecondWire);
  }

  #of(what: (events: Events) => NodeMessage[]): NodeMessage[] {
    return this.#all.flatMap(what);
  }

  #done() {
    return this.#all.flatMap(({ done }) => done);
  }

  #response(): EventEmitter {
    const response = Object.assign(new EventEmitter(), { writableEnded: false, destroyed: false });
    this.#responses.push(response);
    return response;
  }

  async #signal(signal: NodeJS.Signals): Promise<void> {
    for (const { pid } of (await this.t.info()).processes) {
      if (pid === null) continue;
      try {
        process.kill(pid, signal);
      } catch {
        // It has just ended.
      }
    }
  }
}

describe('any sequence of messages, kills, deploys, cancels and time limits', function () {
  this.timeout(60_000);
  leavesNothingBehind();

  it('ends every message exactly once and leaves nothing behind', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 40, size: 'max' }), async (steps) => {
        const run = new Run(await fakeChildren());
        try {
          await run.start();
          for (const next of steps) await run.take(next);
          await run.end();
          run.check();
        } finally {
          run.close();
          await run.t.stop();
        }
        assert.deepEqual(run.t.clock.pending(), [], 'a timer is left');
      }),
      { numRuns: RUNS },
    );
  });
});
