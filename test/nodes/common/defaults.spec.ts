/** A node without its fields, as an API makes it, is a node from the palette. */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { NodeMessage } from 'node-red';
import { beginning, withDefaults } from '../../../nodes/common/form-fields.ts';
import { optionsOf } from '../../../nodes/m2fp-colorize/config.ts';
import { CROP_SETTINGS, settingsOf } from '../../../nodes/m2fp-crop/config.ts';
import { COLORIZE_OPTIONS } from '../../../src/parsing/colorize/colorize-options.ts';
import { readOptions } from '../../../src/parsing/options/option-table.ts';
import { exampleParsing, fakeEngines, type FakeEngine, restoreEngines } from '../support/fake-engine.ts';
import { fieldsOf, nodeConfig, type NodeType, registered, TYPES } from '../support/flows.ts';
import { startFlow, send, stopFlow, useSettings } from '../support/red.ts';

/** Of the editor alone. */
const EDITOR_ONLY = ['name', 'configVersion'];

function formDefaults(type: NodeType): Record<string, unknown> {
  const fields = Object.entries(registered(type).defaults).map(([name, { value }]) => [name, value]);
  return Object.fromEntries(fields.filter(([name]) => !EDITOR_ONLY.includes(name as string)));
}

describe('the defaults of nodes', () => {
  for (const type of TYPES) {
    it(`are those of the form of ${type}, field by field`, () => {
      const fields: Record<string, unknown> = beginning(fieldsOf(type));
      const form = formDefaults(type);
      assert.deepEqual(Object.keys(fields).toSorted(), Object.keys(form).toSorted(), type);
      for (const [name, value] of Object.entries(form)) {
        assert.deepEqual(fields[name], value, `${type}.${name}`);
      }
    });
  }

  for (const type of TYPES) {
    it(`stand in for what is not stored of ${type}, or null, and for nothing else`, () => {
      const full = (stored: object): object => withDefaults(fieldsOf(type), stored as never);
      const fields: Record<string, unknown> = beginning(fieldsOf(type));
      assert.deepEqual(full({}), fields);
      for (const [name, value] of Object.entries(fields)) {
        for (const missing of [undefined, null]) {
          const stored = { ...fields, [name]: missing } as object;
          assert.deepEqual(full(stored), fields, `${type}.${name}`);
        }
        const other = typeof value === 'boolean' ? !value : '';
        assert.equal((full({ [name]: other }) as Record<string, unknown>)[name], other);
      }
    });
  }

  it('mean to colorize and crop what their options mean that are not given', () => {
    const colorize = withDefaults(fieldsOf('m2fp-colorize'), {} as never);
    assert.deepEqual(
      readOptions(COLORIZE_OPTIONS, { colors: '{}', ...optionsOf(colorize as never) }),
      readOptions(COLORIZE_OPTIONS, { colors: '{}' }),
    );
    const crop = withDefaults(fieldsOf('m2fp-crop'), {} as never);
    assert.deepEqual(readOptions(CROP_SETTINGS, settingsOf(crop as never)), readOptions(CROP_SETTINGS, {}));
  });

  describe('of a node that has nothing but its id, type and wires', () => {
    let engine: FakeEngine;

    let userDir: string;

    beforeEach(async () => {
      ({ engine } = fakeEngines());
      userDir = await mkdtemp(join(tmpdir(), 'm2fp-defaults-'));
    });
    afterEach(async () => {
      await stopFlow();
      restoreEngines();
      useSettings({});
      await rm(userDir, { recursive: true });
    });

    /** Without what differs from run to run. */
    const plain = ({ _msgid, ...msg }: NodeMessage): unknown =>
      JSON.parse(
        JSON.stringify(msg, (name, value: unknown) => {
          if ((name === 'id' && typeof value === 'string') || name === 'run') return '';
          // Where files are written, which is a folder of its own for each.
          return typeof value === 'string' && value.startsWith(userDir)
            ? value.slice(join(userDir, '0').length)
            : value;
        }),
      );

    for (const type of TYPES.filter((name) => name !== 'm2fp-model')) {
      it(`${type} does what one from the palette does`, async () => {
        const parsing = await exampleParsing();
        const results: unknown[] = [];
        const asked: unknown[] = [];
        for (const node of [{ id: 'node', type }, nodeConfig(type, 'node')]) {
          engine.requests.length = 0;
          // What one of them has kept is nothing to the other.
          useSettings({ userDir: join(userDir, String(results.length)) });
          const model = 'model' in fieldsOf(type) && type !== 'm2fp-status' ? { model: 'model' } : {};
          const events = await startFlow([
            { id: 'model', type: 'm2fp-model' },
            { ...node, ...model, wires: [['out']] },
          ]);
          send({ payload: parsing.image, topic: 'x', parsing, frame: { time: 0 } });
          await events.ended();
          const errors = events.caught.map(({ error }) => error.message);
          // Nothing can stand for the address of a camera.
          if (type === 'm2fp-camera')
            assert.match(errors.join('\n'), /^M2fpError: .*address.* it is blank\.$/);
          else assert.deepEqual(errors, []);
          if (type !== 'm2fp-status') results.push(events.sent.map(plain));
          else results.push(Object.keys(events.sent[0]!.payload as object));
          asked.push(engine.requests.map(({ options, queue }) => ({ options, queue })));
          await stopFlow();
        }
        assert.deepEqual(results[0], results[1]);
        assert.deepEqual(asked[0], asked[1]);
      });
    }
  });
});
