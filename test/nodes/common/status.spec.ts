import assert from 'node:assert/strict';
import { mock } from 'node:test';
import type { Node, NodeAPI, NodeStatus } from 'node-red';
import { StatusLine } from '../../../nodes/common/status.ts';
import type { EngineInfo } from '../../../src/engine/types.ts';
import { M2fpError } from '../../../src/errors.ts';
import type { PullProgress } from '../../../src/store/progress.ts';

const KEY = '@m2fp/node-red-human-parsing/m2fp-model:m2fp-model';

describe('StatusLine', () => {
  let sent: NodeStatus[];
  let status: StatusLine;

  const later = (): void => mock.timers.tick(1000);
  const engineIs = (state: EngineInfo['state'], rest: Partial<EngineInfo> = {}): EngineInfo =>
    ({ state, waiting: 0, failure: null, processes: [{}], ...rest }) as EngineInfo;
  const last = (): NodeStatus | undefined => {
    later();
    return sent.at(-1);
  };

  beforeEach(() => {
    mock.timers.enable({ apis: ['setTimeout'] });
    sent = [];
    const RED = {
      _: (key: string, values: object) => `${key} ${JSON.stringify(values)}`,
    } as unknown as NodeAPI;
    const node = { status: (given: NodeStatus) => void sent.push(given) } as unknown as Node;
    status = new StatusLine(RED, node);
  });
  afterEach(() => mock.timers.reset());

  it('sends a change at once, and the same thing only once', () => {
    status.done('a');
    assert.deepEqual(sent, [{ fill: 'green', shape: 'dot', text: 'a' }]);
    later();
    status.done('a');
    later();
    assert.equal(sent.length, 1);
    status.done('b');
    assert.equal(sent.length, 2);
  });

  it('sends of a quick series the first and, a little later, the last', () => {
    for (const text of ['a', 'b', 'c', 'd']) status.done(text);
    assert.deepEqual(
      sent.map(({ text }) => text),
      ['a'],
    );
    later();
    assert.deepEqual(
      sent.map(({ text }) => text),
      ['a', 'd'],
    );
  });

  describe('while the model is not there', () => {
    const progress: PullProgress = {
      phase: 'download',
      file: null,
      received: 37,
      total: 100,
      share: 0.37,
      bytesPerSecond: 4_200_000,
    };

    it('says so, and how far the pull has come, until it is there', () => {
      status.presence({ state: 'absent' });
      assert.deepEqual(last(), { fill: 'grey', shape: 'ring', text: `${KEY}.status.absent` });
      status.presence({ state: 'pulling', progress });
      const { fill, shape, text } = last()!;
      assert.deepEqual([fill, shape], ['yellow', 'ring']);
      assert.match(text!, /pull\.shareSpeed \{"share":37,.*"speed":"4\.2"\}$/);
      status.presence({ state: 'present' });
      assert.deepEqual(last(), {});
    });

    it('keeps the result of the last message, but for a pull', () => {
      status.error(new M2fpError('M2FP_TIMEOUT', ''));
      status.presence({ state: 'absent' });
      status.presence({ state: 'present' });
      assert.equal(last()?.text, `${KEY}.error.M2FP_TIMEOUT`);
      status.presence({ state: 'pulling', progress });
      assert.equal(last()?.fill, 'yellow');
    });

    it('forgets that the download failed when the model has come by other hands', () => {
      status.error(new M2fpError('M2FP_DOWNLOAD_FAILED', ''));
      status.presence({ state: 'absent' });
      assert.equal(last()?.text, `${KEY}.error.M2FP_DOWNLOAD_FAILED`);
      status.presence({ state: 'present' });
      assert.deepEqual(last(), {});
    });

    it('has nothing to clear once something else is shown', () => {
      status.presence({ state: 'absent' });
      status.engine(engineIs('ready'), false);
      status.presence({ state: 'present' });
      assert.equal(last()?.text, `${KEY}.status.ready`);
    });
  });

  it('sends nothing more where a quick series ends as it began', () => {
    for (const text of ['a', 'b', 'a']) status.done(text);
    later();
    assert.equal(sent.length, 1);
  });

  it('clears for good on close', () => {
    status.running();
    status.done('a');
    status.close();
    status.done('b');
    later();
    assert.deepEqual(sent.slice(1), [{}]);
  });

  it('stays clear after a close in a quiet moment too', () => {
    status.done('a');
    later();
    status.close();
    status.done('b');
    later();
    assert.deepEqual(sent.slice(1), [{}]);
  });

  it('shows the engine', () => {
    status.engine(engineIs('idle'), false);
    assert.deepEqual(last(), { fill: 'grey', shape: 'ring', text: `${KEY}.status.idle` });
    status.engine(engineIs('loading'), true);
    assert.deepEqual(last(), { fill: 'yellow', shape: 'ring', text: `${KEY}.status.loading` });
    status.engine(engineIs('running'), true);
    assert.deepEqual(last(), { fill: 'blue', shape: 'dot', text: `${KEY}.status.running` });
    status.engine(engineIs('running', { waiting: 3 }), true);
    assert.deepEqual(last(), { fill: 'blue', shape: 'dot', text: `${KEY}.status.waiting {"waiting":3}` });
    status.engine(engineIs('ready'), false);
    assert.deepEqual(last(), { fill: 'green', shape: 'dot', text: `${KEY}.status.ready` });
    status.engine(
      engineIs('failed', { failure: { name: '', code: 'M2FP_ENGINE_CRASHED', message: '' } }),
      false,
    );
    assert.deepEqual(last(), { fill: 'red', shape: 'ring', text: `${KEY}.error.M2FP_ENGINE_CRASHED` });
  });

  for (const [state, hosts, text] of [
    ['idle', [], 'disconnected'],
    ['loading', [], 'searching'],
    ['ready', ['hall-a'], 'ready'],
  ] as const) {
    it(`shows an engine of workers that is ${state} as ${text}`, () => {
      const processes = hosts.map((host) => ({ host })) as EngineInfo['processes'];
      status.engine(engineIs(state, { processes }), false);
      assert.equal(last()?.text, `${KEY}.status.${text}`);
    });
  }

  it('shows an engine that has come in place of the error that there was none', () => {
    status.error(new M2fpError('M2FP_ENGINE_UNAVAILABLE', ''));
    assert.equal(last()?.text, `${KEY}.error.M2FP_ENGINE_UNAVAILABLE`);
    status.engine(engineIs('ready'), false);
    assert.equal(last()?.text, `${KEY}.status.ready`);
  });

  it('keeps a result while the engine works for others, and shows it loading', () => {
    status.done('2 persons');
    status.engine(engineIs('running'), false);
    status.engine(engineIs('ready'), false);
    status.engine(engineIs('idle'), false);
    assert.equal(last()?.text, '2 persons');
    status.engine(engineIs('loading'), false);
    assert.equal(last()?.text, `${KEY}.status.loading`);
    status.error(new M2fpError('M2FP_BUSY', ''));
    status.engine(engineIs('ready'), false);
    assert.equal(last()?.text, `${KEY}.error.M2FP_BUSY`);
    status.settle(engineIs('ready'));
    assert.equal(last()?.text, `${KEY}.status.ready`);
  });

  it('counts what was dropped', () => {
    status.dropped(engineIs('ready'), false);
    assert.deepEqual(last(), { fill: 'yellow', shape: 'dot', text: `${KEY}.status.dropped {"dropped":"1"}` });
    status.dropped(engineIs('running', { waiting: 3 }), true);
    const busy = (count: string) => `${KEY}.status.busyDropped {"dropped":"${count}"}`;
    assert.deepEqual(last(), { fill: 'blue', shape: 'dot', text: busy('2') });
  });

  for (const [count, text] of [
    [999, '999'],
    [1000, '1.0k'],
    [1299, '1.2k'],
    [9999, '9.9k'],
    [34_567, '34k'],
  ] as const) {
    it(`writes ${count} that were dropped as ${text}`, () => {
      status.dropped(engineIs('ready'), false);
      status.dropped(engineIs('running', { waiting: 3 }), true);
      const expected = `${KEY}.status.busyDropped {"dropped":"${text}"}`;
      let dropped = 2;
      for (; dropped < count; dropped++) status.dropped(engineIs('running'), true);
      assert.equal(last()?.text, expected);
    });
  }

  it('keeps the number of dropped ones while the engine works for others', () => {
    status.dropped(engineIs('ready'), false);
    status.engine(engineIs('running'), false);
    assert.match(last()!.text!, /status\.dropped/);
    status.engine(engineIs('loading'), true);
    assert.equal(last()?.text, `${KEY}.status.loading`);
  });

  it('has a text for what is none of our errors', () => {
    status.error(new TypeError('x'));
    assert.deepEqual(last(), { fill: 'red', shape: 'ring', text: `${KEY}.error.other` });
  });
});
