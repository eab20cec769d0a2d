import assert from 'node:assert/strict';
import { mock } from 'node:test';
import { register } from 'prom-client';
import packageJson from '../../package.json' with { type: 'json' };
import {
  type Fate,
  loadEvents,
  messageEvents,
  requestEvents,
  type RequestEvent,
  restartEvents,
} from '../../src/engine/events.ts';
import { healthOf } from '../../src/observe/health.ts';
import { Metrics, METRICS_CONTENT_TYPE, processMetrics } from '../../src/observe/metrics.ts';
import { DIGEST, engineInfo } from './support/engine-info.ts';

const ENGINE = { model: 'me/model', digest: DIGEST.slice(0, 12) };
const LABELS = `model="me/model",digest="${ENGINE.digest}"`;
/** Of a request by nobody in particular. */
const ASKED = `${LABELS},node="",camera=""`;
const TIMING = { queue: 100, decode: 20, preprocess: 30, inference: 400, postprocess: 50, total: 600 };

function ended(fate: Fate, over: Partial<RequestEvent> = {}): void {
  requestEvents.publish({ engine: ENGINE, fate, cached: false, queue: 100, ...over });
}

describe('Metrics', () => {
  let metrics: Metrics;

  /** The value of the line that begins with `name`, up to its labels' end; undefined where there is none. */
  async function value(name: string, engines = [engineInfo()]): Promise<number | undefined> {
    const line = (await metrics.text({ engines })).split('\n').find((text) => text.startsWith(`${name} `));
    return line === undefined ? undefined : Number(line.slice(name.length));
  }
  const values = async (names: string[], engines = [engineInfo()]): Promise<Record<string, unknown>> =>
    Object.fromEntries(await Promise.all(names.map(async (name) => [name, await value(name, engines)])));
  const shows = async (
    expected: Record<string, number | undefined>,
    engines = [engineInfo()],
  ): Promise<void> => assert.deepEqual(await values(Object.keys(expected), engines), expected);

  beforeEach(() => {
    metrics = new Metrics();
  });
  afterEach(() => metrics.close());

  it('counts each request by its one fate', async () => {
    ended('completed', { timing: TIMING });
    ended('completed', { cached: true, queue: 0 });
    ended('failed', { code: 'M2FP_TIMEOUT' });
    ended('rejected', { code: 'M2FP_BUSY' });
    ended('cancelled', { code: 'M2FP_CANCELLED' });
    ended('cancelled', { code: 'M2FP_CANCELLED' });
    ended('replaced');
    ended('expired');
    await shows({
      [`m2fp_inference_request_success_total{${ASKED}}`]: 2,
      [`m2fp_inference_exec_count_total{${LABELS}}`]: 1,
      [`m2fp_cache_hits_total{${LABELS}}`]: 1,
      [`m2fp_inference_request_failure_total{${ASKED},reason="failed",code="M2FP_TIMEOUT"}`]: 1,
      [`m2fp_inference_request_failure_total{${ASKED},reason="rejected",code="M2FP_BUSY"}`]: 1,
      [`m2fp_inference_request_failure_total{${ASKED},reason="cancelled",code="M2FP_CANCELLED"}`]: 2,
      [`m2fp_inference_request_dropped_total{${ASKED},reason="replaced"}`]: 1,
      [`m2fp_inference_request_dropped_total{${ASKED},reason="expired"}`]: 1,
    });
    const families = await metrics.json({ engines: [] });
    const total = families
      .filter(({ name }) => /request_(success|failure|dropped)/.test(name))
      .flatMap(({ samples }) => samples)
      .reduce((sum, sample) => sum + sample.value, 0);
    assert.equal(total, 8);
  });

  it('takes the times of what was computed, in seconds', async () => {
    ended('completed', { timing: TIMING });
    ended('completed', { timing: { ...TIMING, inference: 3000 } });
    ended('completed', { cached: true, queue: 0 });
    ended('failed', { code: 'M2FP_TIMEOUT' });
    const name = (metric: string, suffix: string, more = ''): string =>
      `m2fp_inference_${metric}_seconds_${suffix}{${more}${LABELS}${metric.startsWith('compute') ? '' : ',node=""'}}`;
    await shows({
      [name('request_duration', 'sum')]: 1.2,
      [name('request_duration', 'count')]: 2,
      [name('queue_duration', 'sum')]: 0.2,
      [name('compute_infer_duration', 'sum')]: 3.4,
      [name('compute_infer_duration', 'bucket', 'le="0.5",')]: 1,
      [name('compute_infer_duration', 'bucket', 'le="5",')]: 2,
      [name('compute_infer_duration', 'bucket', 'le="+Inf",')]: 2,
      [name('compute_output_duration', 'sum')]: 0.1,
      [`m2fp_inference_compute_input_duration_seconds_sum{${LABELS},stage="decode"}`]: 0.04,
      [`m2fp_inference_compute_input_duration_seconds_sum{${LABELS},stage="preprocess"}`]: 0.06,
    });
  });

  it('counts restarts, loads and messages', async () => {
    restartEvents.publish({ engine: ENGINE, reason: 'memory' });
    loadEvents.publish({ engine: ENGINE, seconds: 2 });
    messageEvents.publish({ type: 'm2fp-infer', node: 'parse', fate: 'sent' });
    messageEvents.publish({ type: 'm2fp-crop', node: 'n1', fate: 'failed', code: 'M2FP_NO_PARSING' });
    await shows({
      [`m2fp_engine_restarts_total{${LABELS},reason="memory"}`]: 1,
      [`m2fp_engine_load_duration_seconds_sum{${LABELS}}`]: 2,
      'm2fp_messages_total{type="m2fp-infer",node="parse",fate="sent",code=""}': 1,
      'm2fp_messages_total{type="m2fp-crop",node="n1",fate="failed",code="M2FP_NO_PARSING"}': 1,
    });
  });

  it('tells of restarts as recent for ten minutes', () => {
    let now = 5e6;
    const time = mock.method(performance, 'now', () => now);
    try {
      restartEvents.publish({ engine: ENGINE, reason: 'crash' });
      now += 9 * 60_000;
      restartEvents.publish({ engine: ENGINE, reason: 'crash' });
      assert.equal(metrics.recentRestarts(DIGEST), 2);
      now += 2 * 60_000;
      assert.equal(metrics.recentRestarts(DIGEST), 1);
      assert.equal(metrics.recentRestarts('f'.repeat(64)), 0);
    } finally {
      time.mock.restore();
    }
  });

  it('shows the engines as they are now, and those that are gone no more', async () => {
    const cache = { entries: 3, bytes: 5000, limit: 2 ** 20 };
    const down = { pid: null, state: 'idle', restarts: 1, rss: null } as const;
    const running = { pid: process.pid, state: 'running', restarts: 0, rss: 1 } as const;
    const one = engineInfo({ state: 'running', waiting: 2, running: 1, cache, processes: [running, down] });
    const other = engineInfo({ waiting: 1, maxQueue: 4 });
    const memory = `m2fp_engine_resident_memory_bytes{${LABELS},process`;
    const expected = {
      [`m2fp_inference_pending_requests{${LABELS}}`]: 3,
      [`m2fp_inference_pending_requests_limit{${LABELS}}`]: 12,
      [`m2fp_inference_running_requests{${LABELS}}`]: 1,
      [`m2fp_engine_state{${LABELS},state="running"}`]: 1,
      [`m2fp_engine_state{${LABELS},state="ready"}`]: 1,
      ...Object.fromEntries(
        ['idle', 'loading', 'failed', 'closed'].map((state) => [
          `m2fp_engine_state{${LABELS},state="${state}"}`,
          0,
        ]),
      ),
      [`m2fp_engine_processes{${LABELS},state="running"}`]: 1,
      [`m2fp_engine_processes{${LABELS},state="idle"}`]: 1,
      [`m2fp_engine_processes{${LABELS},state="failed"}`]: 0,
      [`m2fp_cache_entries{${LABELS}}`]: 3,
      [`m2fp_cache_size_bytes{${LABELS}}`]: 5000,
      [`m2fp_cache_limit_bytes{${LABELS}}`]: 2 ** 20,
    };
    await shows(expected, [one, other]);
    for (const [index, alive] of [true, false, true].entries()) {
      const bytes = await value(`${memory}="${index}"}`, [one, other]);
      // This process' own, which is running the test.
      assert.equal(bytes !== undefined && bytes >= 1, alive);
    }
    const gone = Object.fromEntries(Object.keys(expected).map((name) => [name, undefined]));
    await shows(gone, []);
    await shows({ [`m2fp_build_info{version="${packageJson.version}",node="${process.version}"}`]: 1 }, []);
  });

  it('tells the node and the camera of requests, a hundred of each, and all others together', async () => {
    for (let number = 0; number < 120; number++) {
      ended('completed', { timing: TIMING, caller: { node: 'yard', camera: `camera ${number}` } });
    }
    ended('replaced', { caller: { node: 'yard', camera: 'camera 3' } });
    ended('rejected', {
      code: 'M2FP_BAD_IMAGE',
      caller: { node: 'gate' },
      engine: { model: '', digest: '' },
    });
    ended('completed', { timing: TIMING, caller: { node: 'n'.repeat(5000), camera: '\ud800' } });
    const success = (camera: string): string =>
      `m2fp_inference_request_success_total{${LABELS},node="yard",camera="${camera}"}`;
    await shows({
      [success('camera 0')]: 1,
      [success('camera 99')]: 1,
      [success('camera 100')]: undefined,
      [success('other')]: 20,
      [`m2fp_inference_request_dropped_total{${LABELS},node="yard",camera="camera 3",reason="replaced"}`]: 1,
      'm2fp_inference_request_failure_total{model="",digest="",node="gate",camera="",reason="rejected",code="M2FP_BAD_IMAGE"}': 1,
      [`m2fp_inference_request_duration_seconds_count{${LABELS},node="yard"}`]: 120,
      [`m2fp_inference_request_duration_seconds_count{${LABELS},node="${'n'.repeat(100)}"}`]: 1,
    });
  });

  it('begins the counts of an engine with 0, and tells the workers and the health', async () => {
    const worker = { host: 'far', pid: 7, state: 'ready', restarts: 0, rss: 5 } as const;
    const engines = [engineInfo({ processes: [worker, worker] })];
    await shows(
      {
        [`m2fp_engine_restarts_total{${LABELS},reason="crash"}`]: 0,
        [`m2fp_cache_hits_total{${LABELS}}`]: 0,
        [`m2fp_inference_exec_count_total{${LABELS}}`]: 0,
        [`m2fp_workers{${LABELS}}`]: 2,
        m2fp_ready: undefined,
      },
      engines,
    );
    await shows({ [`m2fp_workers{${LABELS}}`]: 0 }, [engineInfo({ processes: [] })]);
    await shows({ [`m2fp_workers{${LABELS}}`]: undefined });
    const health = healthOf({ engines: [engineInfo({ state: 'failed' })] });
    const text = await metrics.text({ engines: [], health });
    assert.match(text, /^m2fp_ready 0$/m);
    assert.match(text, /^m2fp_health_reasons\{code="engine-failed"\} 1$/m);
    assert.match(text, /^m2fp_health_reasons\{code="queue-full"\} 0$/m);
    assert.match(text, /^process_resident_memory_bytes [1-9]/m);
  });

  it('tells of one model where it is asked to', async () => {
    ended('completed', { timing: TIMING });
    requestEvents.publish({
      engine: { model: 'other', digest: 'f'.repeat(12) },
      fate: 'completed',
      cached: true,
      queue: 0,
    });
    const engines = [engineInfo(), engineInfo({ id: 'other', digest: 'f'.repeat(64) })];
    const text = await metrics.text({ engines, digest: DIGEST });
    assert.match(text, /request_success_total\{model="me\/model"/);
    assert.match(text, /request_duration_seconds_bucket\{le="1",model="me\/model"/);
    assert.doesNotMatch(text, /model="other"/);
    assert.match(text, /m2fp_build_info\{/, 'what concerns no model');
    assert.match(await metrics.text({ engines }), /model="other"/);
  });

  it('writes what Prometheus reads, and the same as plain data', async () => {
    ended('completed', { engine: { ...ENGINE, model: 'a "b"\n\\c' }, timing: TIMING });
    const text = await metrics.text({ engines: [] });
    assert.equal(METRICS_CONTENT_TYPE, 'text/plain; version=0.0.4; charset=utf-8');
    const sample = /^[a-z_0-9]+(\{([a-z]+="(\\.|[^"\\\n])*",?)+\})? [0-9.e+-]+$/;
    const comment = /^# (HELP|TYPE) (m2fp|process)_[a-z_0-9]+ .+$/;
    for (const line of text.split('\n'))
      assert.ok(line === '' || comment.test(line) || sample.test(line), line);
    assert.ok(text.endsWith('\n'));
    const names = [...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)];
    for (const [, name, type] of names) {
      assert.match(name!, type === 'counter' ? /_total$/ : /^(m2fp|process)_/);
      if (type === 'histogram') assert.match(name!, /_seconds$/);
    }
    const families = await metrics.json({ engines: [] });
    assert.deepEqual(JSON.parse(JSON.stringify(families)), families);
    assert.deepEqual(
      families.map(({ name, type }) => [name, type]),
      names.map(([, name, type]) => [name, type]),
    );
  });

  it('does not end the program for an event that it does not understand', async () => {
    const errors: unknown[] = [];
    const listener = (error: unknown): void => void errors.push(error);
    const others = process.listeners('uncaughtException');
    process.removeAllListeners('uncaughtException');
    process.on('uncaughtException', listener);
    try {
      requestEvents.publish(null as never);
      requestEvents.publish({ engine: ENGINE, fate: 'completed', cached: false, queue: 'x' } as never);
      restartEvents.publish({} as never);
      messageEvents.publish(undefined as never);
      loadEvents.publish({ engine: ENGINE, seconds: NaN });
      await new Promise(setImmediate);
    } finally {
      process.off('uncaughtException', listener);
      for (const other of others) process.on('uncaughtException', other);
    }
    assert.deepEqual(errors, []);
    await metrics.text({ engines: [] });
  });

  it('counts nothing any more when it was closed', async () => {
    metrics.close();
    ended('completed', { timing: TIMING });
    await shows({ [`m2fp_inference_request_success_total{${ASKED}}`]: undefined });
  });

  it('is one for the whole process, also for another copy of the module, and leaves the global registry alone', async () => {
    const url = new URL('../../src/observe/metrics.ts?copy', import.meta.url).href;
    const copy = (await import(url)) as typeof import('../../src/observe/metrics.ts');
    assert.notEqual(copy.Metrics, Metrics);
    assert.equal(copy.processMetrics(), processMetrics());
    assert.deepEqual(register.getMetricsAsArray(), []);
  });
});
