import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { mock } from 'node:test';
import type { Node, NodeAPI, NodeMessage, NodeMessageInFlow } from 'node-red';
import { Outputs } from '../../../nodes/common/hand-over.ts';
import { handleMessages, type Work } from '../../../nodes/common/message-handler.ts';
import type { StatusLine } from '../../../nodes/common/status.ts';
import { messageEvents } from '../../../src/engine/events.ts';
import { M2fpError } from '../../../src/errors.ts';

const runtime = new EventEmitter();
const RED = { util: { cloneMessage: structuredClone }, events: runtime } as unknown as NodeAPI;

describe('MessageHandler', () => {
  let emitter: EventEmitter;
  let shown: unknown[];
  let logged: unknown[];
  let closings: number;

  const open = (work: Work): ReturnType<typeof handleMessages> => {
    emitter = new EventEmitter();
    shown = [];
    logged = [];
    closings = 0;
    const node = Object.assign(emitter, {
      type: 'm2fp-test',
      name: 'the test',
      error: (error: unknown) => void logged.push(error),
    });
    const status = {
      error: (error: unknown) => void shown.push(error),
      close: () => void shown.push('closed'),
    };
    return handleMessages(RED, node as unknown as Node, status as unknown as StatusLine, work, {
      atClose: () => void closings++,
    });
  };

  interface Outcome {
    sent: unknown[];
    ends: (Error | undefined)[];
    ended: Promise<void>;
  }
  const give = (msg: NodeMessage = {}, onDone: () => void = () => {}): Outcome => {
    const outcome: Outcome = { sent: [], ends: [], ended: Promise.resolve() };
    outcome.ended = new Promise((resolve) => {
      emitter.emit(
        'input',
        msg,
        (result: unknown) => outcome.sent.push(result),
        (error?: Error) => {
          outcome.ends.push(error);
          resolve();
          onDone();
        },
      );
    });
    return outcome;
  };
  const close = (): Promise<void> => new Promise((resolve) => emitter.emit('close', false, resolve));
  /** Resolves when all that can go on has done so. */
  const turns = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
  const forever = (): Promise<never> => new Promise(() => {});

  it('listens with three arguments, and to the close with two', () => {
    open(async (msg) => [msg]);
    assert.equal(emitter.listeners('input')[0]!.length, 3);
    assert.equal(emitter.listeners('close')[0]!.length, 2);
  });

  it('sends the result, then says that it is done', async () => {
    open(async (msg) => [msg]);
    const msg = { payload: 1 };
    const outcome = give(msg);
    await outcome.ended;
    assert.equal(outcome.sent[0], msg);
    assert.deepEqual(outcome.ends, [undefined]);
  });

  it('sends a sequence on the one output', async () => {
    open(async () => [{ payload: 1 }, { payload: 2 }]);
    const outcome = give();
    await outcome.ended;
    assert.deepEqual(outcome.sent, [[[{ payload: 1 }, { payload: 2 }]]]);
  });

  it('sends what is for other outputs there, in one go', async () => {
    const msg = { payload: 1 };
    open(async () => new Outputs([null, msg], 'dropped'));
    const outcome = give();
    await outcome.ended;
    assert.deepEqual(outcome.sent, [[null, msg]]);
    assert.deepEqual(outcome.ends, [undefined]);
  });

  describe('cancels', () => {
    const reason = new M2fpError('M2FP_CANCELLED', 'not wanted any more');

    it('the messages that are meant, and no other', async () => {
      const inbox = open(forever);
      const [meant, other] = [give({ topic: 'a' }), give({ topic: 'b' })];
      inbox.cancel(({ topic }) => topic === 'a', reason);
      await meant.ended;
      assert.deepEqual(meant.ends, [reason]);
      await new Promise(setImmediate);
      assert.deepEqual(other.ends, []);
      assert.equal(inbox.size, 1);
    });

    it('nothing twice, and nothing that has ended', async () => {
      const inbox = open(async (msg) => [msg]);
      const outcome = give();
      await outcome.ended;
      inbox.cancel(() => true, reason);
      await new Promise(setImmediate);
      assert.deepEqual(outcome.ends, [undefined]);
    });
  });

  it('tells of every message once how it ended', async () => {
    const events: unknown[] = [];
    const unsubscribe = messageEvents.subscribe((event) => events.push(event));
    try {
      const results = [
        async () => [{ payload: 1 }],
        async () => new Outputs([]),
        async () => new Outputs([null, {}], 'dropped'),
        () => Promise.reject(new M2fpError('M2FP_BUSY', '')),
        () => Promise.reject(new TypeError('x')),
      ];
      open(() => results.shift()!());
      while (results.length > 0) await give().ended;
      open(forever);
      const left = give();
      await close();
      await left.ended;
    } finally {
      unsubscribe();
    }
    const names = { type: 'm2fp-test', node: 'the test' };
    assert.deepEqual(events, [
      { ...names, fate: 'sent' },
      { ...names, fate: 'sent' },
      { ...names, fate: 'dropped' },
      { ...names, fate: 'failed', code: 'M2FP_BUSY' },
      { ...names, fate: 'failed' },
      { ...names, fate: 'failed', code: 'M2FP_CANCELLED' },
    ]);
  });

  it('ends a message whose work fails in its error, with the HTTP status on the message', async () => {
    const error = new M2fpError('M2FP_IMAGE_TOO_LARGE', 'too large');
    open(() => Promise.reject(error));
    const msg: NodeMessage = {};
    const outcome = give(msg);
    await outcome.ended;
    assert.deepEqual(outcome.sent, []);
    assert.deepEqual(outcome.ends, [error]);
    assert.deepEqual(shown, [error]);
    assert.equal(msg['statusCode'], 413);
  });

  it('makes an Error of whatever is thrown, and 500 of what is not ours', async () => {
    open(() => {
      // eslint-disable-next-line no-throw-literal
      throw 'words';
    });
    const msg: NodeMessage = {};
    const outcome = give(msg);
    await outcome.ended;
    assert.equal(outcome.ends[0]?.message, 'words');
    assert.equal(msg['statusCode'], 500);
  });

  it('does not touch statusCode of a message that succeeds', async () => {
    open(async (msg) => [msg]);
    const msg: NodeMessage = { statusCode: 201 };
    await give(msg).ended;
    assert.equal(msg['statusCode'], 201);
  });

  it('survives a listener that throws in done', async () => {
    const inbox = open(async (msg) => [msg]);
    const outcome = give({}, () => {
      throw new Error('from a flow');
    });
    await outcome.ended;
    await close();
    assert.equal(outcome.ends.length, 1);
    assert.match(String(logged[0]), /from a flow/);
    assert.equal(inbox.size, 0);
  });

  it('ends what is running when the node closes, and lets nothing out afterwards', async () => {
    let finish = (): void => {};
    const inbox = open(async (msg: NodeMessageInFlow, signal) => {
      await new Promise<void>((resolve) => {
        finish = resolve;
      });
      assert.equal(signal.aborted, true);
      return [msg];
    });
    const msg: NodeMessage = {};
    const outcome = give(msg);
    assert.equal(inbox.size, 1);
    await close();
    finish();
    await new Promise(setImmediate);
    assert.deepEqual(outcome.sent, []);
    assert.equal(outcome.ends.length, 1);
    assert.equal((outcome.ends[0] as M2fpError).code, 'M2FP_CANCELLED');
    assert.equal(msg['statusCode'], 499);
    assert.equal(closings, 1);
    // The status is cleared, and no error is shown in its place.
    assert.deepEqual(shown, ['closed']);
  });

  it('refuses a message that comes after the close', async () => {
    let worked = 0;
    open(async (msg) => {
      worked++;
      return [msg];
    });
    await close();
    const outcome = give();
    await outcome.ended;
    assert.equal((outcome.ends[0] as M2fpError).code, 'M2FP_CANCELLED');
    assert.equal(worked, 0);
  });

  it('gives a message up when its HTTP client goes, and only that one', async () => {
    const response = Object.assign(new EventEmitter(), { writableEnded: false, destroyed: false });
    const inbox = open(forever);
    const outcome = give({ res: { _res: response } });
    give();
    response.emit('close');
    await outcome.ended;
    assert.equal((outcome.ends[0] as M2fpError).code, 'M2FP_CANCELLED');
    await new Promise(setImmediate);
    assert.equal(inbox.size, 1);
  });

  it('stops watching the client when the message has ended', async () => {
    const response = Object.assign(new EventEmitter(), { writableEnded: false, destroyed: false });
    open(async (msg) => [msg]);
    const outcome = give({ res: { _res: response } });
    await outcome.ended;
    assert.equal(response.listenerCount('close'), 0);
  });

  it('takes an answer that was sent for no client that has gone', async () => {
    const response = Object.assign(new EventEmitter(), { writableEnded: true, destroyed: false });
    const inbox = open(forever);
    give({ res: { _res: response } });
    response.emit('close');
    await new Promise(setImmediate);
    assert.equal(inbox.size, 1);
  });

  describe('while a deploy replaces other nodes', () => {
    afterEach(() => runtime.emit('flows:started'));

    for (const [what, work, told] of [
      ['sends', () => Promise.resolve([{ payload: 1 }]), [1, 0]],
      ['tells of errors', () => Promise.reject(new Error('wrong')), [0, 1]],
    ] as [string, Work, [number, number]][]) {
      it(`${what} only when the new ones are there`, async () => {
        open(work);
        runtime.emit('flows:stopping', { type: 'nodes' });
        const { sent, ends, ended } = give();
        await turns();
        assert.deepEqual([sent, ends], [[], []]);
        runtime.emit('flows:started');
        await ended;
        assert.deepEqual([sent.length, ends.filter(Boolean).length], told);
      });
    }

    it('waits no longer than a deploy takes that ends', async () => {
      mock.timers.enable({ apis: ['setTimeout'] });
      try {
        open(() => Promise.resolve([{}]));
        runtime.emit('flows:stopping', { type: 'nodes' });
        const { sent, ended } = give();
        await turns();
        mock.timers.tick(15_000);
        await ended;
        assert.equal(sent.length, 1);
      } finally {
        mock.timers.reset();
      }
    });

    it('ends a message that waits for that where it is closed itself', async () => {
      open(() => Promise.resolve([{}]));
      runtime.emit('flows:stopping', { type: 'full' });
      const { sent, ends } = give();
      await turns();
      await close();
      assert.deepEqual([sent.length, (ends[0] as { code?: string }).code], [0, 'M2FP_CANCELLED']);
    });
  });

  describe('closed with a message whose client waits', () => {
    class Response extends EventEmitter {
      headersSent = false;
      writableEnded = false;
      destroyed = false;
      answers: unknown[][] = [];
      writeHead(...head: unknown[]): void {
        this.headersSent = true;
        this.answers.push(head);
      }
      end(text: Buffer): void {
        this.writableEnded = true;
        this.answers.push([JSON.parse(text.toString())]);
      }
    }
    const closed = async (response: Response, meanwhile = () => {}): Promise<Response> => {
      mock.timers.enable({ apis: ['setTimeout'] });
      try {
        open(forever);
        const outcome = give({ res: { _res: response } });
        await close();
        await outcome.ended;
        mock.timers.tick(1999);
        assert.deepEqual(response.answers, []);
        meanwhile();
        mock.timers.tick(1);
        mock.timers.tick(10_000);
        assert.equal(response.listenerCount('close'), 0);
        return response;
      } finally {
        mock.timers.reset();
      }
    };

    it('answers it when the flow has not after two seconds', async () => {
      const [head, body] = (await closed(new Response())).answers;
      const [status, headers] = head as [number, Record<string, string>];
      assert.deepEqual(
        [status, headers['content-type'], headers['retry-after']],
        [499, 'application/problem+json', '1'],
      );
      const [{ code, detail }] = body as [{ code: string; detail: string }];
      assert.equal(code, 'M2FP_CANCELLED');
      assert.match(detail, /Send it again/);
    });

    for (const name of ['headersSent', 'writableEnded', 'destroyed'] as const) {
      it(`leaves it alone where the flow did, or it has gone (${name})`, async () => {
        const response = new Response();
        await closed(response, () => (response[name] = true));
        assert.deepEqual(response.answers, []);
      });
    }

    it('waits for nothing any more once the client has gone', async () => {
      const response = new Response();
      await closed(response, () => response.emit('close'));
      assert.deepEqual(response.answers, []);
    });

    it('throws nothing where the answer cannot be written', async () => {
      const response = new Response();
      response.writeHead = () => {
        throw new Error('ERR_HTTP_HEADERS_SENT');
      };
      await closed(response);
    });
  });

  it('answers no client for an error before the close', async () => {
    const response = Object.assign(new EventEmitter(), { headersSent: false });
    open(() => Promise.reject(new M2fpError('M2FP_BUSY', 'busy')));
    await give({ res: { _res: response } }).ended;
    await close();
    assert.equal(response.listenerCount('close'), 0);
  });

  it('does nothing for a client that has gone before', async () => {
    let worked = 0;
    open(async (msg) => {
      worked++;
      return [msg];
    });
    const response = Object.assign(new EventEmitter(), { writableEnded: false, destroyed: true });
    const outcome = give({ res: { _res: response } });
    await outcome.ended;
    assert.equal((outcome.ends[0] as M2fpError).code, 'M2FP_CANCELLED');
    assert.equal(worked, 0);
  });
});
