/** The JSON Schemas that are published describe what is really sent. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import { createPipeline } from '../../src/engine/child/pipeline.ts';
import { openSession } from '../../src/engine/child/session.ts';
import { withPolygons } from '../../src/parsing/polygonize.ts';
import { summarize } from '../../src/parsing/summary.ts';
import type { Parsing } from '../../src/parsing/types.ts';
import { describe as describePeople, withDescriptions } from '../../src/people/describe/describe.ts';
import { bundledModelFolder } from '../../src/paths.ts';
import { readManifest } from '../../src/store/manifest.ts';
import { exampleParsing } from '../nodes/support/fake-engine.ts';
import { parsingOf } from './scene.ts';

const read = (name: string): object =>
  JSON.parse(readFileSync(new URL(`../../schemas/${name}.schema.json`, import.meta.url), 'utf8')) as object;

/** The sample with the bundled model, at a minimum score. */
async function sample(scoreThreshold?: number): Promise<Parsing> {
  const folder = bundledModelFolder();
  const manifest = await readManifest(folder);
  const pipeline = createPipeline(await openSession(folder, 2), manifest);
  try {
    const image = readFileSync(`${folder}/samples/two-people.png`);
    const parsing = await pipeline.parse(image, {
      ...(scoreThreshold !== undefined && { scoreThreshold }),
    });
    const { id, digest, precision } = manifest;
    const model = { id, digest, precision, provider: pipeline.provider };
    return { ...parsing, image, model, cached: false, timing: { ...parsing.timing, queue: 0, total: 1 } };
  } finally {
    await pipeline.close();
  }
}

describe('the published JSON Schemas', function () {
  this.timeout(60_000);
  let ofDescription: ValidateFunction;
  let ofSummary: ValidateFunction;
  let ofParsing: ValidateFunction;
  const parsings: Record<string, Parsing> = {};

  before(async () => {
    const ajv = new Ajv2020({ allErrors: true, strict: true, strictTuples: false });
    ofDescription = ajv.compile(read('description'));
    ofSummary = ajv.compile(read('summary'));
    ofParsing = ajv.compile(read('parsing'));
    parsings['the sample'] = await sample(0.5);
    parsings["the sample by ModelScope's rules"] = await sample();
    parsings['a fabricated one'] = await exampleParsing();
    parsings['a model of single persons'] = await parsingOf({
      labels: ['背景', '头发'],
      width: 3,
      height: 1,
      labelRows: ['011'],
      parts: [
        { index: 0, rows: ['#..'] },
        { index: 1, rows: ['.##'] },
      ],
    });
    parsings['one with polygons'] = await withPolygons(parsings['the sample']);
    parsings['nobody'] = await parsingOf({ labels: ['Background', 'Hair', 'Human'], width: 2, height: 1 });
  });

  const accept = (validate: ValidateFunction, value: unknown): void =>
    assert.ok(validate(value), JSON.stringify(validate.errors));

  it('take every summary and every parsing, as JSON', async () => {
    assert.ok(parsings['the sample']!.doubtful.parts.length > 0);
    for (const parsing of Object.values(parsings)) {
      accept(ofSummary, JSON.parse(JSON.stringify(await summarize(parsing))));
      accept(ofParsing, JSON.parse(JSON.stringify(parsing)));
      const { image: _image, labelMap, personMap, ...rest } = parsing;
      const maps = { labelMap: labelMap.toString('base64'), personMap: personMap.toString('base64') };
      accept(ofParsing, { ...rest, ...maps });
    }
  });

  it('take descriptions, alone and in a parsing', async () => {
    for (const parsing of Object.values(parsings)) {
      const description = await describePeople(parsing);
      accept(ofDescription, JSON.parse(JSON.stringify(description)));
      accept(ofParsing, JSON.parse(JSON.stringify(withDescriptions(parsing, description))));
    }
    assert.ok(!ofDescription({ persons: [{ id: 1 }], sentence: '' }));
  });

  it('tell the one from the other, and refuse other shapes', async () => {
    const parsing = parsings['a fabricated one']!;
    const summary = await summarize(parsing);
    assert.ok(!ofSummary(JSON.parse(JSON.stringify(parsing))));
    assert.ok(!ofParsing(JSON.parse(JSON.stringify(summary))));
    const [person] = summary.persons;
    for (const other of [
      {},
      { ...summary, labels: { Hair: 0.5 } },
      { ...summary, model: 'fake' },
      { ...summary, persons: [{ ...person, parts: [] }] },
      { ...summary, parts: summary.parts.map(({ person: _person, ...part }) => part) },
      { ...summary, doubtful: { persons: [], parts: [] } },
      { ...summary, cached: undefined },
    ])
      assert.ok(!ofSummary(other), JSON.stringify(other));
  });
});
