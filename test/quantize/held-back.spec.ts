/** What a model that was made int8 is worth, on pictures that were held back. */
import assert from 'node:assert/strict';
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { bundledModelFolder } from '../../src/paths.ts';
import { quantizeModel } from '../../src/quantize/quantize.ts';
import { compareHeldBack } from '../../src/quantize/held-back.ts';
import { listPictures } from '../../src/quantize/picture-files.ts';
import { Pictures } from '../../src/quantize/pictures.ts';
import { convertCheckpoint } from '../../src/store/convert.ts';
import { readManifest } from '../../src/store/manifest.ts';
import { goldenFolder } from '../support/golden.ts';
import { drawPicture } from './support/pictures.ts';

describe('pictures that are held back', function () {
  this.timeout(120_000);
  let folder = '';
  let model = '';
  const path = (...names: string[]) => join(folder, ...names);

  async function picturesOf(name: string, count: number): Promise<string> {
    mkdirSync(path(name));
    for (let i = 0; i < count; i++) await drawPicture(path(name, `${String(i).padStart(2, '0')}.png`), i);
    return path(name);
  }

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'm2fp-held-back-'));
    model = path('model');
    const source = goldenFolder('multi');
    await convertCheckpoint({ source, out: model, id: 'golden', shortSide: 64, longSide: 128 });
  });
  after(() => rmSync(folder, { recursive: true }));

  const read = async (name: string) => {
    const { input } = await readManifest(model);
    const pictures = new Pictures(await listPictures(path(name)), input);
    let given = 0;
    for await (const { type } of pictures.inputs()) given += type === 'm2fp-input' ? 1 : 0;
    assert.equal(given, pictures.used);
    return pictures;
  };

  it('are every fifth of those that can be used, and so seven of 36', async () => {
    await picturesOf('many', 36);
    writeFileSync(path('many', '04.png'), 'no picture');
    const pictures = await read('many');
    const names = pictures.heldBack.map((file) => file.slice(-6, -4));
    assert.deepEqual(names, ['05', '10', '15', '20', '25', '30', '35']);
    assert.equal(pictures.used, 28);
    assert.match(pictures.warnings.join('\n'), /^04\.png was left out: M2FP_\w+: .+$/);
  });

  it('tell how far int8 and float agree, how fast both are, and where that was', async () => {
    const pictures = await picturesOf('some', 11);
    const shares: number[] = [];
    const out = path('int8');
    const { manifest, warnings } = await quantizeModel({
      model,
      pictures,
      out,
      onProgress: (share) => shares.push(share),
    });
    assert.deepEqual(await readManifest(out), manifest);
    const { report, pictures: used } = manifest.int8!;
    const { agreement, seconds, processorSeconds, machine } = report!;
    assert.deepEqual([used, agreement.pictures], [9, 2]);
    // These weights are random: of such a network little stays as it was, and that is said.
    assert.ok(agreement.pixels! > 0.5 && agreement.leastPixels! <= agreement.pixels!);
    assert.match(
      warnings.at(-1)!,
      /^Only \d\d\.\d % of the pixels (?:and \d\d\.\d % of the foreground )?have the label that the float model gives/,
    );
    assert.ok(agreement.parts.matched <= Math.min(agreement.parts.reference, agreement.parts.other));
    for (const { float, int8 } of [seconds, processorSeconds!]) assert.ok(float > 0 && int8 > 0);
    assert.ok(machine.threads > 0 && machine.instructions !== '');
    assert.equal(machine.provider, 'cpu');
    assert.match(warnings[0]!, /Only 11 pictures were used/);
    assert.deepEqual([shares.at(-1), shares], [1, shares.toSorted((a, b) => a - b)]);
  });

  it('agree wholly where both models are the same', async () => {
    const pictures = await read('some');
    const same = { folder: model, manifest: await readManifest(model) };
    const report = await compareHeldBack({ float: same, int8: same, pictures, onProgress: () => {} });
    assert.deepEqual(pictures.warnings, []);
    const { pixels, medianPixels, leastPixels, persons, parts } = report!.agreement;
    assert.deepEqual([pixels, medianPixels, leastPixels], [1, 1, 1]);
    for (const { reference, other, matched, iou, greatestScoreDifference } of [persons, parts]) {
      assert.deepEqual([reference, other], [matched, matched]);
      if (matched > 0) assert.deepEqual([iou, greatestScoreDifference], [1, 0]);
    }
  });

  it('are told by name where both models see nobody in them', async () => {
    const bundled = bundledModelFolder();
    const manifest = await readManifest(bundled);
    mkdirSync(path('street'));
    const scene = join(bundled, 'samples', 'two-people.png');
    const street = Buffer.from(Array.from({ length: 64 * 64 }, (_, i) => 90 + (i >> 6)));
    for (const name of ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i'])
      cpSync(scene, path('street', `${name}.png`));
    await sharp(street, { raw: { width: 64, height: 64, channels: 1 } }).toFile(path('street', 'j.png'));
    const pictures = new Pictures(await listPictures(path('street')), manifest.input);
    for await (const _ of pictures.inputs());
    const same = { folder: bundled, manifest };
    const report = await compareHeldBack({ float: same, int8: same, pictures, onProgress: () => {} });
    assert.equal(report!.agreement.foreground, 1);
    assert.deepEqual(pictures.warnings, [
      'Both models saw nobody in these pictures, which tell nothing of how near they are: j.png',
    ]);
  });

  it('are none of four, and that is said', async () => {
    const pictures = await picturesOf('few', 4);
    const { manifest, warnings } = await quantizeModel({ model, pictures, out: path('few-int8') });
    assert.equal(manifest.int8?.report, undefined);
    assert.match(warnings.at(-1)!, /too few pictures to hold some back and compare\. Give 32 or more/);
  });

  it('are compared as far as they can still be read', async () => {
    const pictures = await read('some');
    rmSync(pictures.heldBack[0]!);
    const same = { folder: model, manifest: await readManifest(model) };
    const report = await compareHeldBack({ float: same, int8: same, pictures, onProgress: () => {} });
    assert.equal(report!.agreement.pictures, 1);
    rmSync(pictures.heldBack[1]!);
    assert.equal(
      await compareHeldBack({ float: same, int8: same, pictures, onProgress: () => {} }),
      undefined,
    );
  });

  it('are not compared once that is cancelled', async () => {
    const pictures = await read('many');
    const same = { folder: model, manifest: await readManifest(model) };
    const controller = new AbortController();
    const options = {
      float: same,
      int8: same,
      pictures,
      signal: controller.signal,
      onProgress: () => controller.abort(),
    };
    await assert.rejects(compareHeldBack(options), { code: 'M2FP_CANCELLED' });
  });
});
