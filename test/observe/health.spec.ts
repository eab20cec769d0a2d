import assert from 'node:assert/strict';
import { type Health, type HealthFacts, healthOf, type MissingModel } from '../../src/observe/health.ts';
import { DIGEST, engineInfo } from './support/engine-info.ts';

describe('healthOf', () => {
  const codes = ({ status, reasons }: Health): string[] => [status, ...reasons.map(({ code }) => code)];

  it('is ready without engines, and with those that run or begin with their first picture', () => {
    const engines = (['idle', 'ready', 'running'] as const).map((state) => engineInfo({ state }));
    for (const facts of [{ engines: [] }, { engines }]) {
      assert.deepEqual(healthOf(facts), { status: 'ready', live: true, ready: true, reasons: [] });
    }
  });

  const failure = { name: 'M2fpError', code: 'M2FP_ENGINE_CRASHED', message: 'crashed 5 times' };
  const table: [string, HealthFacts, string[]][] = [
    ['failed', { engines: [engineInfo({ state: 'failed', failure })] }, ['unready', 'engine-failed']],
    ['loading', { engines: [engineInfo({ state: 'loading' })] }, ['unready', 'engine-loading']],
    [
      'loading again',
      { engines: [engineInfo({ state: 'loading', loadSeconds: 1.5 })] },
      ['degraded', 'engine-reloading'],
    ],
    [
      'waited for',
      { engines: [engineInfo({ state: 'loading', loadSeconds: 1.5, processes: [] })] },
      ['unready', 'engine-loading'],
    ],
    [
      'known elsewhere',
      { engines: [engineInfo()], reasons: [{ code: 'redis-lost', model: 'a', message: 'lost' }] },
      ['unready', 'redis-lost'],
    ],
    [
      'cut off from its workers, whatever they have in hand',
      {
        engines: [
          engineInfo({ state: 'running', disconnected: { code: 'redis-lost', message: 'Nobody answers.' } }),
        ],
      },
      ['unready', 'redis-lost'],
    ],
    [
      'cut off for good',
      {
        engines: [
          engineInfo({
            state: 'failed',
            failure,
            disconnected: { code: 'redis-lost', message: 'Nobody answers.' },
          }),
        ],
      },
      ['unready', 'redis-lost'],
    ],
    [
      'never reached',
      { engines: [], missing: [{ id: 'a/b', state: 'redis-lost', message: 'x' }] },
      ['unready', 'redis-lost'],
    ],
    [
      'wrong with a node',
      {
        engines: [engineInfo()],
        reasons: [{ code: 'node-misconfigured', model: '', node: 'n', message: 'x' }],
      },
      ['unready', 'node-misconfigured'],
    ],
    [
      'wrong with the folder of jobs',
      { engines: [engineInfo()], reasons: [{ code: 'jobs-folder', model: '', node: 'n', message: 'x' }] },
      ['unready', 'jobs-folder'],
    ],
    ['slow', { engines: [engineInfo({ provider: 'wasm' })] }, ['degraded', 'engine-slow']],
    ['full', { engines: [engineInfo({ waiting: 8, maxQueue: 8 })] }, ['degraded', 'queue-full']],
    ['not yet full', { engines: [engineInfo({ waiting: 7, maxQueue: 8 })] }, ['ready']],
    ['without a queue', { engines: [engineInfo({ maxQueue: 0 })] }, ['ready']],
    [
      'restarted',
      { engines: [engineInfo()], recentRestarts: (digest) => (digest === DIGEST ? 2 : 0) },
      ['degraded', 'engine-restarted'],
    ],
    ['absent', { engines: [], missing: [{ id: 'a/b', state: 'absent' }] }, ['unready', 'model-absent']],
    [
      'searched',
      { engines: [], missing: [{ id: 'a/b', state: 'searching' }] },
      ['unready', 'engine-loading'],
    ],
    ['pulled', { engines: [], missing: [{ id: 'a/b', state: 'pulling' }] }, ['unready', 'model-pulling']],
    ['damaged', { engines: [], missing: [{ id: 'a/b', state: 'failed' }] }, ['unready', 'model-failed']],
    [
      'one of two',
      { engines: [engineInfo(), engineInfo({ state: 'failed', provider: 'wasm' })] },
      ['unready', 'engine-failed', 'engine-slow'],
    ],
  ];
  for (const [what, facts, expected] of table) {
    it(`tells of what is ${what}`, () => {
      const health = healthOf(facts);
      assert.deepEqual(codes(health), expected);
      assert.equal(health.ready, expected[0] !== 'unready');
      assert.equal(health.live, true);
      assert.deepEqual(JSON.parse(JSON.stringify(health)), health);
    });
  }

  it('says why a download waits, and when what failed is tried again', () => {
    const messageOf = (missing: MissingModel): string =>
      healthOf({ engines: [], missing: [missing] }).reasons[0]!.message;
    const retry = { status: 503, reason: 'hub answered 503', seconds: 1, attempt: 1, attempts: 5 };
    assert.equal(
      messageOf({ id: 'a/b', state: 'pulling', retry }),
      'The model is being downloaded and converted. It waits: hub answered 503. The server is asked again within a second (1 of 5).',
    );
    assert.equal(messageOf({ id: 'a/b', state: 'failed', message: 'It is gone' }), 'It is gone');
    assert.equal(
      messageOf({ id: 'a/b', state: 'failed', message: 'It is gone!', retryIn: 29_100 }),
      'It is gone! It is tried again by itself within 30 seconds.',
    );
  });

  it("gives the engine's own words", () => {
    const fallback = 'no binary for musl: use Debian';
    const { reasons } = healthOf({
      engines: [engineInfo({ state: 'failed', failure, provider: 'wasm', fallback })],
      missing: [{ id: 'a/b', state: 'failed', message: 'm2fp.json is damaged' }],
    });
    assert.deepEqual(
      reasons.map(({ model, message }) => [model, message]),
      [
        ['a/b', 'm2fp.json is damaged'],
        ['me/model', 'crashed 5 times'],
        ['me/model', fallback],
      ],
    );
  });
});
