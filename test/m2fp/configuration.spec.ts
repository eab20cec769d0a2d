import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readConfiguration } from '../../src/m2fp/configuration.ts';
import { goldenFolder } from '../support/golden.ts';

describe('configuration.json', () => {
  const folder = mkdtempSync(join(tmpdir(), 'm2fp-configuration-'));
  const file = join(folder, 'configuration.json');
  after(() => rmSync(folder, { recursive: true }));
  const read = (content: unknown) => {
    writeFileSync(file, typeof content === 'string' ? content : JSON.stringify(content));
    return readConfiguration(file);
  };

  it('is read as ModelScope writes it', async () => {
    const single = await readConfiguration(join(goldenFolder('single'), 'configuration.json'));
    assert.equal(single?.singleHuman, true);
    assert.deepEqual(single?.canvas, [384, 512]);
    assert.equal(single?.classes?.length, 20);
    const multi = await readConfiguration(join(goldenFolder('multi'), 'configuration.json'));
    assert.equal(multi?.singleHuman, false);
    assert.equal(multi?.numParsing, 20);
    assert.equal(multi?.decoder['nheads'], 8);
  });

  it('may be absent', async () => {
    assert.equal(await readConfiguration(join(folder, 'nowhere.json')), undefined);
  });

  it('may begin with a byte order mark', async () => {
    const found = await read('\ufeff{"model":{"type":"m2fp","single_human":false}}');
    assert.equal(found?.singleHuman, false);
  });

  it('that is a folder is refused, not a crash', async () => {
    await assert.rejects(readConfiguration(folder), {
      code: 'M2FP_CHECKPOINT_INVALID',
      message: /it cannot be read/,
    });
  });

  for (const [name, content, reason] of [
    ['no JSON', '<html>', /not valid JSON.*download it again/],
    ['no model', { framework: 'pytorch' }, /no entry "model"/],
    ['another model', { model: { type: 'csrnet' } }, /type "csrnet"/],
    ['a section that is none', { model: { type: 'm2fp', decoder: 3 } }, /model\.decoder is no object/],
    ['a share beyond 1', { model: { parsing_ins_score_thr: 30 } }, /thr is not a number from 0 to 1/],
    [
      'a bar of the label map that is none',
      { model: { label_map_confidence: '0.2' } },
      /confidence is not a number/,
    ],
    ['half a label', { model: { num_parsing: 19.5 } }, /num_parsing is not a whole number/],
    [
      'a canvas beyond all memory',
      { model: { input_single_human: { sizes: [[384, 1e9]] } } },
      /at most 4096 pixels/,
    ],
    ['labels that are none', { model: { classes: [1, 2] } }, /model\.classes is not a list of names/],
    ['a size of one number', { model: { input_single_human: { sizes: [384] } } }, /\[width, height\]/],
  ] as const) {
    it(`is refused: ${name}`, async () => {
      await assert.rejects(read(content), { code: 'M2FP_CHECKPOINT_INVALID', message: reason });
    });
  }
});
