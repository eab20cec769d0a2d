/** Flows written by hand or by programs: whatever a field holds, the node says which one is wrong, and what it takes. */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { variableIn } from '../../nodes/common/stored-form.ts';
import { exampleParsing, fakeEngines, restoreEngines } from './support/fake-engine.ts';
import { fieldsOf, nodeConfig, type NodeType, TYPES } from './support/flows.ts';
import { type Events, send, startFlow, stopFlow, useSettings } from './support/red.ts';

/** What no field of any kind takes, or only some. */
const VALUES: Readonly<Record<string, unknown>> = {
  'an object': { a: 1 },
  'a list': [1, 'x'],
  'a negative number': -5,
  true: true,
  'a huge number': 1e308,
  'a word': 'abc',
  'a digit': '1',
  'no variable': '${M2FP_TEST_NONE}',
};

/** Words of JavaScript's own. */
const FOREIGN = /TypeError|undefined|NaN|\[object|Cannot read|is not a function|RangeError/;

describe('a stored field', () => {
  let userDir: string;

  before(async () => {
    // Jobs are kept there.
    userDir = await mkdtemp(join(tmpdir(), 'm2fp-stored-fields-'));
    useSettings({ userDir });
  });
  after(async () => {
    useSettings({});
    await rm(userDir, { recursive: true, force: true });
  });
  afterEach(async () => {
    await stopFlow();
    restoreEngines();
  });

  async function run(type: NodeType, properties: Record<string, unknown>): Promise<Events> {
    fakeEngines();
    const isModel = type === 'm2fp-model';
    const events = await startFlow(
      isModel
        ? [
            nodeConfig('m2fp-model', 'model', properties),
            nodeConfig('m2fp-infer', 'node', { model: 'model' }),
          ]
        : [
            nodeConfig('m2fp-model', 'model'),
            nodeConfig(type, 'node', {
              ...('model' in fieldsOf(type) && { model: 'model' }),
              ...properties,
            }),
          ],
    );
    const parsing = await exampleParsing();
    send({ payload: parsing.image, topic: 'x', parsing });
    // A crop of nothing sends nothing.
    await events.until(
      () =>
        events.done.length > 0 && events.sent.length + events.caught.length >= (events.done[0]!.code ? 1 : 0),
    );
    return events;
  }

  for (const type of TYPES) {
    const fields = fieldsOf(type);
    for (const [name, { form }] of Object.entries(fields)) {
      it(`${name} of ${type} is refused by name where it is unusable`, async () => {
        for (const [kind, value] of Object.entries(VALUES)) {
          const { caught } = await run(type, { [name]: value });
          await stopFlow();
          const [{ error } = { error: undefined }] = caught;
          const about = `${kind}: ${error?.message}`;
          if (error !== undefined) {
            assert.ok(error.code?.startsWith('M2FP_'), about);
            // That a property of this name is not there, it says by "undefined".
            if (error.code !== 'M2FP_NO_IMAGE') assert.doesNotMatch(error.message, FOREIGN, about);
          }
          const mustFail =
            ['select', 'hidden', 'checkbox'].includes(form.input) ||
            (['typed', 'number'].includes(form.input) && typeof value === 'object') ||
            (form.input === 'number' && value === 'abc') ||
            (form.input === 'typed' &&
              !['num', 'str'].some((kindOf) => form.choices?.includes(kindOf)) &&
              typeof value !== 'string');
          const isTaken = (form.input === 'checkbox' && value === true) || isHidden(type, name);
          if (!mustFail || isTaken) continue;
          assert.equal(error?.code, 'M2FP_BAD_OPTION', about);
          assert.match(error.message, new RegExp(`"${name}"`), about);
          const variable = variableIn(value);
          if (variable !== undefined) assert.match(error.message, new RegExp(variable), about);
        }
      });
    }
  }

  for (const type of TYPES.filter((name) => name !== 'm2fp-model')) {
    const select = Object.entries(fieldsOf(type)).find(([, { form }]) => form.input === 'select')?.[0];
    if (select === undefined) continue;
    it(`${select} of ${type} that is none of the choices shows at once, in red`, async () => {
      fakeEngines();
      const events = await startFlow([nodeConfig(type, 'node', { [select]: 'weird' })]);
      await events.until(() => events.statuses.some(({ fill }) => fill === 'red'));
    });
  }

  it('source of m2fp-model that is none of the choices shows at once at the nodes that use it', async () => {
    fakeEngines();
    const events = await startFlow([
      nodeConfig('m2fp-model', 'model', { source: 'weird' }),
      nodeConfig('m2fp-infer', 'node', { model: 'model' }),
    ]);
    await events.until(() => events.statuses.some(({ fill }) => fill === 'red'));
  });

  it('names the variable whose value is wrong, and the value', async () => {
    process.env['M2FP_TEST_BAD'] = 'abc';
    try {
      for (const [type, name] of [
        ['m2fp-model', 'threads'],
        ['m2fp-model', 'source'],
        ['m2fp-crop', 'minScore'],
        ['m2fp-load', 'action'],
      ] as const) {
        const { caught } = await run(type, { [name]: '${M2FP_TEST_BAD}' });
        assert.match(caught[0]!.error.message, new RegExp(`"${name}" is "abc".*M2FP_TEST_BAD`));
        await stopFlow();
      }
    } finally {
      delete process.env['M2FP_TEST_BAD'];
    }
  });

  it('that is a checkbox takes what a variable says', async () => {
    process.env['M2FP_TEST_FLAG'] = 'false';
    try {
      const events = await run('m2fp-infer', { flip: '${M2FP_TEST_FLAG}' });
      await events.ended();
      assert.deepEqual(events.caught, []);
    } finally {
      delete process.env['M2FP_TEST_FLAG'];
    }
  });
});

/** What the form hides, since the bundled model has no use for it. */
function isHidden(type: NodeType, name: string): boolean {
  return type === 'm2fp-model' && name === 'precision';
}
