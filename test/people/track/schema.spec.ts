/** The JSON Schema that is published describes what is really sent. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { FakeClock } from '../../engine/support/fakes.ts';
import { readSequence } from '../../../bench/track/sequences.ts';
import { readOptions } from '../../../src/parsing/options/option-table.ts';
import { withDescriptions, describe as describePeople } from '../../../src/people/describe/describe.ts';
import { Topics } from '../../../src/people/track/topics.ts';
import { TRACK_OPTIONS } from '../../../src/people/track/track-options.ts';

const read = (name: string): { $id: string } =>
  JSON.parse(readFileSync(new URL(`../../../schemas/${name}.schema.json`, import.meta.url), 'utf8')) as {
    $id: string;
  };

describe('the JSON Schema of tracked people', () => {
  const ajv = new Ajv2020({ allErrors: true, strict: true, strictTuples: false, allowUnionTypes: true });
  for (const name of ['description', 'summary', 'parsing', 'track']) ajv.addSchema(read(name));
  const { $id } = read('track');

  it('describes states, events and parsings of a sequence, also of people who are described', async () => {
    const clock = new FakeClock();
    const topics = new Topics(clock);
    const zones = [
      {
        name: 'all',
        kind: 'zone' as const,
        points: [
          [0, 0],
          [1, 0],
          [1, 1],
          [0, 1],
        ] as [number, number][],
      },
      {
        name: 'middle',
        kind: 'line' as const,
        points: [
          [0.5, 0],
          [0.5, 1],
        ] as [number, number][],
      },
    ];
    const options = readOptions(TRACK_OPTIONS, { zones, dwell: 1, updates: true, goneAfter: 1 });
    const kinds = new Set<string>();
    const check = (schema: string, value: unknown): void => {
      const plain: unknown = JSON.parse(JSON.stringify(value));
      const validate = ajv.getSchema(schema)!;
      assert.ok(validate(plain), ajv.errorsText(validate.errors));
    };
    for (const { parsing, time } of readSequence('pass', 2).frames) {
      const described = withDescriptions(parsing, await describePeople(parsing));
      const tracked = await topics.track(described, 'yard', time, options);
      check($id, tracked.state);
      for (const event of tracked.events) {
        kinds.add(event.event);
        check(`${$id}#/$defs/event`, event);
      }
      for (const person of tracked.parsing.persons) check(`${read('parsing').$id}#/$defs/person`, person);
    }
    clock.advance(options.silence * 1000);
    for (const event of topics.wake()) kinds.add(event.event);
    assert.deepEqual(kinds, new Set(['new', 'update', 'enter', 'dwell', 'cross', 'leave', 'gone']));
  });
});
