import assert from 'node:assert/strict';
import type {
  DeployedFacts,
  Failure,
  Int8Here,
  ModelDescription,
} from '../../../nodes/form/about-answers.ts';
import { aboutRows } from '../../../nodes/form/about-rows.ts';
import type { Int8Origin } from '../../../src/m2fp/int8-origin.ts';
import { bytesText, secondsText } from '../../../nodes/form/amounts.ts';

const GB = 1e9;
const DESCRIPTION: ModelDescription = {
  id: 'm2fp-demo',
  choice: 'c0ffee',
  present: true,
  isCheckpoint: false,
  size: 7_400_000,
  digest: 'cd7037b5e908f10993ac2024e108e7276c14d09d44246fdfd748962b2130bba5',
  kind: 'multi',
  labels: ['Background', 'Hair', 'Human'],
  input: { kind: 'short-side', shortSide: 160, longSide: 384 },
  precision: 'fp16',
  int8: null,
  isRemakable: false,
  notMakable: null,
  estimate: {
    processes: 1,
    threads: 2,
    memory: 0.172 * GB,
    freeMemory: 3 * GB,
    seconds: 0.0654,
    provider: 'cpu',
  },
};
const DEPLOYED = {
  id: 'm2fp-demo',
  choice: DESCRIPTION.choice,
  revision: null,
  precision: 'fp16',
  size: 7_400_000,
  digest: DESCRIPTION.digest,
  labels: DESCRIPTION.labels,
  input: DESCRIPTION.input,
  state: 'ready',
  loadSeconds: 1.25,
  progress: null,
  remote: null,
} as unknown as DeployedFacts;

const text = (key: string, values?: object): string => (values ? `${key}${JSON.stringify(values)}` : key);
const same = (label: string): string => label;
const WORKERS = ['hall-a', 'hall-b', 'hall-b'].map((host, index) => ({
  host,
  pid: 1,
  version: '0.1.0',
  provider: 'cpu',
  fallback: null,
  threads: 2,
  slots: index + 1,
  loadSeconds: null,
  rss: null,
}));
const rows = (...known: [ModelDescription?, (DeployedFacts | Failure)?, Int8Here?]): Record<string, string> =>
  Object.fromEntries(
    aboutRows(known[0], known[1], text, same, known[2]).map(({ key, text: shown }) => [key, shown]),
  );

/** How an int8 model was made that is near to its float one, apart from what the arguments say. */
function int8With(agreement: object, machine: object): Int8Origin {
  const figures = { reference: 154, other: 155, matched: 150, iou: null, meanScoreDifference: null };
  const found = { ...figures, greatestScoreDifference: null };
  return {
    parts: ['res4'],
    calibration: 'min-max',
    weightBits: 7,
    correctedBias: false,
    pictures: 29,
    from: { digest: 'a', precision: 'fp32' },
    report: {
      agreement: {
        pictures: 7,
        pixels: 0.9976,
        medianPixels: 0.998,
        leastPixels: 0.995,
        foreground: 0.9768,
        persons: found,
        parts: found,
        ...agreement,
      },
      seconds: { float: 2, int8: 1 },
      machine: { processor: null, instructions: 'AVX2', threads: 2, provider: 'cpu', ...machine },
    },
  };
}

describe('about a model', () => {
  it('nothing is told while nothing is known', () => {
    assert.deepEqual(aboutRows(undefined, undefined, text, same), []);
  });

  it('the form tells what its values mean, before the deploy', () => {
    assert.deepEqual(rows(DESCRIPTION), {
      id: 'm2fp-demo',
      labels: '3: Background, Hair, Human',
      input: 'inputRule.short-side{"shortSide":160,"longSide":384}',
      size: '7 MB',
      digest: 'cd7037b5e908…',
      memory: 'memoryNeeded{"memory":"172 MB","free":"3.0 GB","processes":1,"threads":2}',
      time: 'time.cpu{"seconds":"0.07"}',
      state: 'notDeployed',
    });
    const digest = aboutRows(DESCRIPTION, undefined, text, same).find(({ key }) => key === 'digest');
    assert.equal(digest?.whole, DESCRIPTION.digest);
  });

  it('of workers it tells how many there are, where, and what they have', () => {
    const { size, memory, time, ...told } = rows({
      ...DESCRIPTION,
      size: null,
      estimate: null,
      workers: WORKERS,
    });
    assert.deepEqual([size, memory, time], [undefined, undefined, undefined]);
    assert.equal(told['precision'], 'fp16');
    assert.equal(told['workers'], 'workersThere{"workers":3,"places":6,"hosts":"hall-a, hall-b"}');
  });

  it('of many machines the first ones are named', () => {
    const many = 'abcdef'.split('').map((host) => ({ ...WORKERS[0]!, host }));
    const row = aboutRows({ ...DESCRIPTION, estimate: null, workers: many }, undefined, text, same).find(
      ({ key }) => key === 'workers',
    );
    assert.match(row!.text, /"hosts":"a, b, c, d, …"/);
    assert.equal(row!.whole, 'a, b, c, d, e, f');
  });

  it('who may only read sees how many workers a deployed model has', () => {
    const remote = { url: 'redis://a', queue: 'm2fp', workers: 2 };
    const { workers, size, state } = rows(undefined, { ...DEPLOYED, state: 'idle', remote });
    assert.deepEqual([workers, size], ['2', undefined]);
    assert.match(state!, /^states\.disconnected/);
  });

  it('why a deployed model does not tell of itself is not taken for a missing deploy', () => {
    const failure = { message: 'No worker serves the queue.', choice: DESCRIPTION.choice };
    assert.equal(rows(DESCRIPTION, failure)['state'], failure.message);
    assert.deepEqual(aboutRows(undefined, failure, text, same), []);
  });

  it('what int8 brings on this machine is told: while it is measured, a gain, none, and no result', () => {
    const told = (here?: Int8Here) =>
      rows({ ...DESCRIPTION, precision: 'int8' }, undefined, here)['int8Here'];
    const speed = (ratio: number): Int8Here => ({
      speed: { ratio, provider: 'cpu', threads: 2, instructions: 'AVX2' },
    });
    assert.equal(told(), undefined);
    assert.equal(told('measuring'), 'int8Measuring');
    assert.equal(told(speed(1.66)), 'int8Faster{"ratio":"1.7","instructions":"AVX2","threads":2}');
    assert.equal(told(speed(0.94)), 'int8NotFaster{"ratio":"0.9","instructions":"AVX2","threads":2}');
    assert.equal(told({ problem: 'busy' }), 'int8NotMeasured{"problem":"busy"}');
  });

  it('how near int8 is to float is told of all pixels and of the foreground, and on what it was measured', () => {
    const told = (agreement: object, machine: object = {}) =>
      rows({ ...DESCRIPTION, precision: 'int8', int8: int8With(agreement, machine) })['int8'];
    const counts = '"pictures":29,"heldBack":7';
    const near =
      `int8Agreement{${counts},"speed":"int8Times{\\"faster\\":\\"2.0\\"}","pixels":"99.7 %","foreground":"97.6 %",` +
      '"precision":"fp32","matched":150,"parts":154}';
    assert.equal(told({}), near);
    assert.equal(
      told({ foreground: 0.7635 }),
      `int8FarOff${JSON.stringify({ agreement: near.replace('97.6', '76.3') })}`,
    );
    assert.equal(
      told({ pixels: 1, foreground: null }),
      `int8Nobody{${counts},"speed":"int8Times{\\"faster\\":\\"2.0\\"}"}`,
    );
    assert.match(told({}, { provider: 'wasm' })!, /"speed":"int8TimesOnWasm/);
    assert.match(told({ pictures: 2 })!, /^int8Few\{"agreement":.*,"enough":32\}$/);
  });

  it('a model that needs more memory than is free is marked', () => {
    const estimate = { ...DESCRIPTION.estimate!, memory: 4 * GB };
    assert.match(rows({ ...DESCRIPTION, estimate })['memory']!, /^tooMuchMemory/);
  });

  it('an unknown model that is not there has no facts but its name', () => {
    const absent = { ...DESCRIPTION, labels: null, input: null, size: null, digest: null, estimate: null };
    assert.deepEqual(rows(absent), { id: 'm2fp-demo', size: 'notThere', state: 'notDeployed' });
  });

  it('who may not ask about the form sees what is deployed', () => {
    const { memory, time, ...others } = rows(DESCRIPTION, DEPLOYED);
    assert.ok(memory && time);
    assert.deepEqual(rows(undefined, DEPLOYED), others);
    assert.equal(others['state'], 'states.ready · loadedIn{"seconds":"1.3"}');
  });

  it('a choice that was not saved does not show the state of the model that runs', () => {
    const other = rows({ ...DESCRIPTION, id: 'other', choice: 'other' }, DEPLOYED);
    assert.match(other['state']!, /^otherDeployed.*m2fp-demo/);
    const broken = { message: 'The folder is missing.', choice: null };
    assert.equal(rows(DESCRIPTION, broken)['state'], 'brokenDeployed');
  });

  it('nor does one of another revision, of other weights or from another server', () => {
    const running = { ...DEPLOYED, revision: 'v1.0.1' };
    const { state } = rows({ ...DESCRIPTION, choice: 'other' }, running);
    assert.equal(state, 'variantDeployed{"id":"m2fp-demo","variant":"v1.0.1, fp16"}');
  });

  it('nor does one of the same name that was made again since it was loaded: its digest is told', () => {
    const former = { ...DEPLOYED, digest: '53ab0c0ffee0123456789' };
    assert.equal(rows(DESCRIPTION, former)['state'], 'formerDeployed{"digest":"53ab0c0ffee0…"}');
    assert.match(rows(DESCRIPTION, { ...former, digest: null })['state']!, /^states\.ready/);
    assert.match(rows(undefined, former)['state']!, /^states\.ready/);
    const remote = { url: 'redis://a', queue: 'm2fp', workers: 2 };
    assert.match(rows(DESCRIPTION, { ...former, remote })['state']!, /^states\.ready/);
  });

  it('a checkpoint that is not converted yet is told from a model that is not downloaded', () => {
    const absent = { ...DESCRIPTION, size: null, present: false };
    assert.equal(rows(absent)['size'], 'notThere');
    assert.equal(rows({ ...absent, isCheckpoint: true })['size'], 'notConverted');
  });

  it('a model on its way tells how far it has come', () => {
    const progress = { share: 0.377 } as DeployedFacts['progress'];
    const pulling = { ...DEPLOYED, state: 'pulling', progress, loadSeconds: null } as DeployedFacts;
    assert.equal(rows(DESCRIPTION, pulling)['state'], 'pulling{"percent":37}');
    assert.equal(rows(DESCRIPTION, { ...pulling, progress: null })['state'], 'states.pulling');
    assert.equal(rows(DESCRIPTION, { ...pulling, state: 'not pulled' })['state'], 'states.absent');
    assert.equal(rows(DESCRIPTION, { ...pulling, state: 'not converted' })['state'], 'states.unconverted');
  });

  it('long lists of labels are shortened', () => {
    const labels = Array.from({ length: 20 }, (_, index) => `L${index}`);
    const [, row] = aboutRows({ ...DESCRIPTION, labels }, undefined, text, same);
    assert.equal(row!.text, '20: L0, L1, L2, L3, L4, L5, L6, L7, …');
    assert.equal(row!.whole, labels.join(', '));
  });

  it("labels are called as in the user's language, and whole as messages have them", () => {
    const [, row] = aboutRows(DESCRIPTION, undefined, text, (label) => (label === 'Hair' ? '头发' : label));
    assert.equal(row!.text, '3: Background, 头发, Human');
    assert.equal(row!.whole, 'Background, Hair, Human');
  });

  it('amounts are short', () => {
    assert.deepEqual([7.4e6, 253e6, 999.4e6, 999.6e6, 1.25e9].map(bytesText), [
      '7 MB',
      '253 MB',
      '999 MB',
      '1.0 GB',
      '1.3 GB',
    ]);
    assert.deepEqual([0.084, 0.996, 1.44, 9.94, 9.96, 61.2].map(secondsText), [
      '0.08',
      '1.0',
      '1.4',
      '9.9',
      '10',
      '61',
    ]);
  });
});
