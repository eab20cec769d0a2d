import assert from 'node:assert/strict';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { createPipeline } from '../../src/engine/child/pipeline.ts';
import type { Loaders } from '../../src/engine/child/runtime.ts';
import { openSession } from '../../src/engine/child/session.ts';
import type { ModelManifest } from '../../src/m2fp/manifest.ts';
import { DEFAULT_PARTS, type Part } from '../../src/m2fp/parts.ts';
import { decodeModel } from '../../src/onnx/decode.ts';
import { quantizeInProcess } from '../../src/quantize/quantize-process.ts';
import { quantizeModel, type Quantized, type QuantizeOptions } from '../../src/quantize/quantize.ts';
import { convertCheckpoint } from '../../src/store/convert.ts';
import { intactManifest, readManifest } from '../../src/store/manifest.ts';
import { WITHOUT_NATIVE } from '../engine/support/wasm.ts';
import { onDiskWith } from '../store/support/full-disk.ts';
import { goldenFolder } from '../support/golden.ts';
import { drawPicture } from './support/pictures.ts';

describe('making a model int8', function () {
  this.timeout(120_000);
  let folder = '';
  let model = '';
  let pictures = '';
  const path = (...names: string[]) => join(folder, ...names);
  const out = () => path('out', 'int8');

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'm2fp-quantize-'));
    [model, pictures] = [path('model'), path('pictures')];
    await convertCheckpoint({
      source: goldenFolder('multi'),
      out: model,
      id: 'golden',
      shortSide: 64,
      longSide: 128,
    });
    mkdirSync(pictures);
    for (let i = 0; i < 4; i++) await drawPicture(join(pictures, `${i}.png`), i);
  });
  after(() => rmSync(folder, { recursive: true }));
  beforeEach(() => {
    rmSync(path('out'), { recursive: true, force: true });
    mkdirSync(path('out'));
  });
  const options = (more: Partial<QuantizeOptions> = {}): QuantizeOptions => ({
    model,
    pictures,
    out: out(),
    ...more,
  });
  const nothingMade = () => assert.deepEqual(readdirSync(path('out')), []);

  for (const [what, spoil] of [
    ['is removed', (files: string) => rmSync(files, { recursive: true })],
    ['is changed', (files: string) => writeFileSync(join(files, 'model.onnx.data'), 'cut')],
  ] as const) {
    it(`says so where the model ${what} meanwhile, and makes nothing`, async () => {
      const changing = path('changing');
      cpSync(model, changing, { recursive: true });
      let isFirst = true;
      const onProgress = () => {
        if (isFirst) spoil(changing);
        isFirst = false;
      };
      await assert.rejects(quantizeModel(options({ model: changing, onProgress })), {
        code: 'M2FP_MODEL_INVALID',
        message: `The model in ${changing} was changed or removed while it was made int8, and nothing was written: try again when it is complete`,
      });
      nothingMade();
      rmSync(changing, { recursive: true, force: true });
    });
  }

  describe('writes a model', () => {
    const made = () => path('made');
    const shares: number[] = [];
    let result: Quantized;
    let float: ModelManifest;
    before(async () => {
      float = await readManifest(model);
      result = await quantizeModel(options({ out: made(), onProgress: (share) => shares.push(share) }));
    });

    it('that tells what it is', async () => {
      const { manifest, warnings } = result;
      assert.deepEqual(readdirSync(made()).toSorted(), ['m2fp.json', 'model.onnx', 'model.onnx.data']);
      assert.deepEqual(await intactManifest(made()), manifest);
      assert.deepEqual(manifest.int8, {
        parts: DEFAULT_PARTS,
        calibration: 'min-max',
        weightBits: 7,
        correctedBias: false,
        pictures: 4,
        from: { digest: float.digest, precision: 'fp32' },
      });
      const { precision, int8: _int8, digest, files, ...rest } = manifest;
      const { precision: was, digest: old, files: before, ...same } = float;
      assert.deepEqual(rest, same);
      assert.deepEqual([precision, was, digest === old], ['int8', 'fp32', false]);
      assert.ok(files['model.onnx.data'].size < 0.8 * before['model.onnx.data'].size);
      assert.match(warnings.join(), /Only 4 pictures were used: 32 or more/);
    });

    it('telling how far it is', () => {
      assert.deepEqual(
        shares,
        shares.toSorted((a, b) => a - b),
      );
      assert.equal(shares.at(-1), 1);
    });

    for (const [provider, loaders] of [
      ['natively', undefined],
      ['in WebAssembly', WITHOUT_NATIVE],
    ] as const) {
      it(`that the engine runs ${provider}: its parsing is nearly that of the float model`, async () => {
        const picture = readFileSync(join(pictures, '1.png'));
        const [a, b] = [
          await parse(model, float, picture),
          await parse(made(), result.manifest, picture, loaders),
        ];
        assert.equal(b.labelMap.length, 96 * 80);
        const equal = a.labelMap.filter((label, i) => label === b.labelMap[i]).length;
        assert.ok(equal / a.labelMap.length > 0.9, `${equal} of ${a.labelMap.length} pixels`);
      });
    }

    it('that is refused where it is to become int8 once more', async () => {
      await assert.rejects(quantizeModel(options({ model: made() })), {
        code: 'M2FP_BAD_OPTION',
        message: /int8 already: give the fp32 or fp16 model/,
      });
      nothingMade();
    });

    it('that stays where a second attempt fails, and is replaced where it does not', async () => {
      await assert.rejects(quantizeModel(options({ out: made(), pictures: path('none') })));
      assert.deepEqual(await intactManifest(made()), result.manifest);
      const again = await quantizeModel(options({ out: made(), parts: ['res5'] }));
      assert.deepEqual(await intactManifest(made()), again.manifest);
      assert.notEqual(again.manifest.digest, result.manifest.digest);
    });

    it('in a process of its own, the same one', async () => {
      assert.deepEqual(await quantizeInProcess(options()), result);
    });
  });

  async function parse(folderOfModel: string, manifest: ModelManifest, picture: Buffer, loaders?: Loaders) {
    const pipeline = createPipeline(await openSession(folderOfModel, 1, loaders), manifest);
    try {
      return await pipeline.parse(picture, {});
    } finally {
      await pipeline.close();
    }
  }

  const operators = (folderOfModel: string) =>
    decodeModel(readFileSync(join(folderOfModel, 'model.onnx'))).nodes;

  it('makes int8 of the parts that are named, and of no others', async () => {
    const prefixes: Record<string, RegExp> = {
      res4: /^\/backbone\/res4\./,
      'encoder.ffn': /^\/pixel_decoder\/encoder\/\d\//,
    };
    for (const part of Object.keys(prefixes) as Part[]) {
      await quantizeModel(options({ parts: [part] }));
      const rounded = operators(out()).filter(({ opType }) => opType === 'QuantizeLinear');
      assert.ok(rounded.length > 0, part);
      const elsewhere = rounded.filter(({ name }) => !prefixes[part]!.test(name));
      assert.deepEqual(elsewhere, [], part);
    }
  });

  it('takes other calibrations, 8 bits and corrected biases, and keeps halves', async () => {
    const half = path('half');
    const source = goldenFolder('multi');
    await convertCheckpoint({ source, out: half, shortSide: 64, longSide: 128, precision: 'fp16' });
    const chosen = { model: half, calibration: 'mse', weightBits: 8, correctBias: true } as const;
    const { manifest } = await quantizeModel(options(chosen));
    const { calibration, weightBits, correctedBias, from } = manifest.int8!;
    assert.deepEqual([calibration, weightBits, correctedBias, from.precision], ['mse', 8, true, 'fp16']);
    assert.ok(operators(out()).some(({ opType }) => opType === 'Cast'));
  });

  describe('of what it cannot use', () => {
    const refused = async (more: Partial<QuantizeOptions>, code: string, message: RegExp) => {
      await assert.rejects(quantizeModel(options(more)), { code, message });
      nothingMade();
    };
    const folderOf = (name: string) => {
      const made = path(name);
      rmSync(made, { recursive: true, force: true });
      mkdirSync(made);
      return made;
    };

    it('says so of a folder without pictures, and of none', async () => {
      const empty = folderOf('empty');
      await refused({ pictures: empty }, 'M2FP_NO_IMAGE', /holds no pictures: put 32 or more there/);
      writeFileSync(join(empty, 'notes.txt'), 'no picture');
      await refused({ pictures: empty }, 'M2FP_NO_IMAGE', /holds no pictures/);
      await refused({ pictures: path('none') }, 'M2FP_NO_IMAGE', /folder of pictures cannot be read/);
    });

    it('says so of pictures that are damaged, and of black ones', async () => {
      const bad = folderOf('bad');
      writeFileSync(join(bad, 'a.png'), 'no picture');
      mkdirSync(join(bad, 'b.png'));
      await refused(
        { pictures: bad },
        'M2FP_BAD_IMAGE',
        /None of the pictures.*a\.png.*b\.png: it is not a regular file/,
      );
      const black = folderOf('black');
      const create = { width: 40, height: 40, channels: 3, background: 'black' } as const;
      for (const name of ['a.png', 'b.jpg']) await sharp({ create }).toFile(join(black, name));
      await refused({ pictures: black }, 'M2FP_BAD_IMAGE', /nothing but one colour/);
    });

    it('leaves such pictures out where there are others, and names each of them with the reason', async () => {
      const mixed = folderOf('mixed');
      const broken = ['a.png', 'c.png', 'd.png', 'e.png', 'f.png'];
      for (const name of broken) writeFileSync(join(mixed, name), 'no picture');
      await drawPicture(join(mixed, 'b.png'), 7);
      const create = { width: 40, height: 40, channels: 3, background: 'black' } as const;
      await sharp({ create }).toFile(join(mixed, 'g.png'));
      mkdirSync(join(mixed, 'h.png'));
      const { manifest, warnings } = await quantizeModel(options({ pictures: mixed }));
      assert.equal(manifest.int8?.pictures, 1);
      for (const [index, name] of broken.entries())
        assert.match(warnings[index]!, new RegExp(`^${name} was left out: M2FP_UNSUPPORTED_FORMAT: .+`));
      assert.deepEqual(warnings.slice(5, 7), [
        'g.png was left out: M2FP_NOTHING_FOUND: it shows nothing but one colour',
        'h.png was left out: M2FP_NO_IMAGE: it is not a regular file',
      ]);
      assert.match(warnings[7]!, /Only one picture was used/);
    });

    it('says so of a damaged model, and of none', async () => {
      await refused({ model: path('none') }, 'M2FP_MODEL_NOT_FOUND', /no model folder/);
      const damaged = path('damaged');
      cpSync(model, damaged, { recursive: true });
      const file = join(damaged, 'model.onnx.data');
      const bytes = readFileSync(file);
      bytes[5000]! ^= 1;
      writeFileSync(file, bytes);
      await refused({ model: damaged }, 'M2FP_MODEL_INVALID', /is not the file that was converted/);
    });

    it('says so of options that are none', async () => {
      await refused({ parts: ['res9' as Part] }, 'M2FP_BAD_OPTION', /no part res9, there are stem\.conv1/);
      await refused({ parts: [] }, 'M2FP_BAD_OPTION', /No part was chosen/);
      await refused({ calibration: 'best' as 'mse' }, 'M2FP_BAD_OPTION', /calibration is best/);
      await refused({ weightBits: 4 as 8 }, 'M2FP_BAD_OPTION', /weightBits is 4/);
    });
  });

  describe('in a process of its own', () => {
    it('keeps the code of an error', async () => {
      await assert.rejects(quantizeInProcess(options({ pictures: path('none') })), { code: 'M2FP_NO_IMAGE' });
      nothingMade();
    });

    for (const step of [0, 0.5, 0.9, 0.95]) {
      it(`leaves nothing where it is cancelled with ${step * 100} % done`, async () => {
        const controller = new AbortController();
        const onProgress = (share: number) => {
          if (share >= step) controller.abort();
        };
        await assert.rejects(quantizeInProcess(options({ signal: controller.signal, onProgress })), {
          code: 'M2FP_CANCELLED',
        });
        nothingMade();
      });
    }

    it('does not begin where it is cancelled already', async () => {
      await assert.rejects(quantizeInProcess(options({ signal: AbortSignal.abort() })), {
        code: 'M2FP_CANCELLED',
      });
      nothingMade();
    });
  });

  it('fails before it begins where the disk has no room', async () => {
    await assert.rejects(quantizeModel({ ...options(), freeBytes: () => Promise.resolve(1e6) }), {
      code: 'M2FP_MODEL_INVALID',
      message: /are needed to make it int8: free some space/,
    });
    nothingMade();
  });

  it('leaves nothing where the disk becomes full meanwhile: with the network that is watched, the model, its manifest', async () => {
    const { files } = await readManifest(model);
    const watched = files['model.onnx.data'].size;
    const whole = await quantizeModel(options());
    const { 'model.onnx.data': data, 'model.onnx': graph } = whole.manifest.files;
    // The network that is watched has a larger graph than the one that it is made of; nobody tells how large.
    const until = 2 * files['model.onnx'].size + watched + data.size + graph.size;
    const failed: boolean[] = [];
    for (let room = 0; room <= until; room += until / 12) {
      rmSync(out(), { recursive: true, force: true });
      const made = await onDiskWith(room, () => quantizeModel(options())).catch((error: unknown) => error);
      failed.push(made instanceof Error);
      if (!(made instanceof Error)) continue;
      assert.match(made.message, /^The disk of .*out became full while the model was written/);
      assert.equal((made as { code?: unknown }).code, 'M2FP_MODEL_INVALID');
      nothingMade();
    }
    assert.deepEqual([failed[0], failed.filter(Boolean).length > 8], [true, true]);
  });
});
