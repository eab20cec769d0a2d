import assert from 'node:assert/strict';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bundledModelFolder } from '../../src/paths.ts';
import { convertCheckpoint } from '../../src/store/convert.ts';
import { parseManifest, readManifest } from '../../src/store/manifest.ts';
import { goldenFolder } from '../support/golden.ts';
import { withoutChecksums } from '../support/pickle-writer.ts';
import { onDiskWith } from './support/full-disk.ts';

describe('converting a checkpoint', () => {
  const folder = mkdtempSync(join(tmpdir(), 'm2fp-convert-'));
  const out = join(folder, 'model');
  after(() => rmSync(folder, { recursive: true }));
  beforeEach(() => rmSync(out, { recursive: true, force: true }));
  const nothingPartial = () =>
    assert.deepEqual(
      readdirSync(folder).filter((name) => name.includes('.partial-')),
      [],
    );

  it('makes a model folder that says what it is', async () => {
    const shares: number[] = [];
    const { manifest, warnings } = await convertCheckpoint({
      source: goldenFolder('multi'),
      out,
      id: 'own name',
      onProgress: (share) => shares.push(share),
    });
    assert.deepEqual(readdirSync(out).toSorted(), ['m2fp.json', 'model.onnx', 'model.onnx.data']);
    assert.deepEqual(warnings, []);
    assert.deepEqual(await readManifest(out), manifest);
    assert.equal(manifest.id, 'own name');
    assert.equal(manifest.kind, 'multi');
    assert.equal(manifest.humanIndex, 20);
    assert.deepEqual(manifest.input, { kind: 'short-side', shortSide: 640, longSide: 1333 });
    assert.equal(shares.at(-1), 1);
    nothingPartial();
  });

  it('refuses a checkpoint with damaged weights, and converts one without check values with a warning', async () => {
    const whole = readFileSync(join(goldenFolder('single'), 'pytorch_model.pt'));
    const file = join(folder, 'damaged.pth');
    const damaged = Buffer.from(whole);
    damaged[whole.length >> 1]! ^= 1;
    writeFileSync(file, damaged);
    await assert.rejects(convertCheckpoint({ source: file, out }), {
      code: 'M2FP_CHECKPOINT_INVALID',
      message: /damaged\.pth: the entry "data\/\d+" does not have the check value/,
    });
    nothingPartial();
    writeFileSync(file, withoutChecksums(whole));
    const { warnings } = await convertCheckpoint({ source: file, out });
    assert.match(warnings.join(), /damaged\.pth was saved without check values.*SHA-256/);
  });

  it('leaves the model that was there where the disk becomes full, at whatever byte, and nothing else', async () => {
    const source = goldenFolder('multi');
    const { manifest } = await convertCheckpoint({ source, out, id: 'first' });
    const { 'model.onnx.data': data, 'model.onnx': graph } = manifest.files;
    for (const room of [0, data.size / 2, data.size + 10, data.size + graph.size + 10]) {
      await assert.rejects(
        onDiskWith(room, () => convertCheckpoint({ source, out, id: 'second' })),
        {
          code: 'M2FP_MODEL_INVALID',
          message:
            /^The disk of .* became full while the model was written\. Nothing was changed: free some space/,
        },
      );
      assert.deepEqual(await readManifest(out), manifest);
      nothingPartial();
    }
  });

  it('takes the canvas of a single-human model from its configuration', async () => {
    const { manifest } = await convertCheckpoint({ source: goldenFolder('single'), out, id: undefined });
    assert.equal(manifest.kind, 'single');
    assert.equal(manifest.id, 'single');
    assert.deepEqual(manifest.input, { kind: 'canvas', width: 384, height: 512, pad: 128 });
  });

  it("tells the label map's thresholds, and that they change what the model is", async () => {
    const source = join(folder, 'thresholds');
    cpSync(goldenFolder('multi'), source, { recursive: true });
    const file = join(source, 'configuration.json');
    const known = JSON.parse(readFileSync(file, 'utf8'));
    const manifestOf = async (more: object) => {
      writeFileSync(file, JSON.stringify({ ...known, model: { ...known.model, ...more } }));
      return (await convertCheckpoint({ source, out })).manifest;
    };
    const plain = await manifestOf({});
    const own = await manifestOf({ parsing_ins_score_thr: 0.2, label_map_confidence: 0.1 });
    assert.deepEqual([plain.scoreThreshold, plain.mapConfidence], [0.5, undefined]);
    assert.deepEqual([own.scoreThreshold, own.mapConfidence], [0.2, 0.1]);
    const other = await manifestOf({ parsing_ins_score_thr: 0.2 });
    assert.equal(new Set([plain.digest, own.digest, other.digest]).size, 3);
  });

  it('takes a checkpoint file without a configuration', async () => {
    const file = join(folder, 'lonely.pth');
    cpSync(join(goldenFolder('single'), 'pytorch_model.pt'), file);
    const { manifest } = await convertCheckpoint({ source: file, out });
    assert.equal(manifest.kind, 'single');
    assert.equal(manifest.labels[3], 'Glove');
    assert.equal(manifest.source.configuration, false);
    assert.equal(manifest.id, 'lonely.pth');
  });

  it('halves the weights with fp16', async () => {
    const full = await convertCheckpoint({ source: goldenFolder('multi'), out });
    const half = await convertCheckpoint({ source: goldenFolder('multi'), out, precision: 'fp16' });
    const size = (conversion: typeof full) => conversion.manifest.files['model.onnx.data'].size;
    assert.ok(size(half) < 0.6 * size(full));
    assert.equal(half.manifest.precision, 'fp16');
    assert.notEqual(half.manifest.digest, full.manifest.digest);
  });

  it('gives the same digest for the same checkpoint', async () => {
    const [a, b] = [
      await convertCheckpoint({ source: goldenFolder('multi'), out }),
      await convertCheckpoint({ source: goldenFolder('multi'), out }),
    ];
    assert.equal(a.manifest.digest, b.manifest.digest);
  });

  it('gives another digest where the same weights give other results', async () => {
    const { manifest } = await convertCheckpoint({ source: goldenFolder('multi'), out });
    const smaller = await convertCheckpoint({ source: goldenFolder('multi'), out, shortSide: 320 });
    assert.deepEqual(smaller.manifest.files, manifest.files);
    assert.notEqual(smaller.manifest.digest, manifest.digest);
  });

  it('keeps the model that was there when it fails, and leaves nothing half', async () => {
    const { manifest } = await convertCheckpoint({ source: goldenFolder('multi'), out });
    const file = join(folder, 'cut.pt');
    cpSync(join(goldenFolder('multi'), 'pytorch_model.pt'), file);
    truncateSync(file, 100_000);
    await assert.rejects(convertCheckpoint({ source: file, out }), { code: 'M2FP_CHECKPOINT_INVALID' });
    assert.deepEqual(await readManifest(out), manifest);
    nothingPartial();
  });

  it('leaves other files of the target folder alone', async () => {
    await convertCheckpoint({ source: goldenFolder('multi'), out });
    writeFileSync(join(out, 'README.md'), 'card');
    await convertCheckpoint({ source: goldenFolder('single'), out });
    assert.equal(readFileSync(join(out, 'README.md'), 'utf8'), 'card');
    assert.equal((await readManifest(out)).kind, 'single');
  });

  for (const [name, options, expected] of [
    [
      'a source that is not there',
      { source: join(tmpdir(), 'm2fp-nowhere') },
      { code: 'M2FP_MODEL_NOT_FOUND' },
    ],
    [
      'a folder without a checkpoint',
      { source: import.meta.dirname },
      { code: 'M2FP_MODEL_NOT_FOUND', message: /pytorch_model\.pt/ },
    ],
    [
      'a short side of 3',
      { source: goldenFolder('multi'), shortSide: 3 },
      { code: 'M2FP_BAD_OPTION', message: /shortSide/ },
    ],
    [
      'labels that do not fit',
      { source: goldenFolder('multi'), labels: ['a', 'b'] },
      { code: 'M2FP_BAD_OPTION' },
    ],
  ] as const) {
    it(`refuses ${name}`, async () => {
      await assert.rejects(convertCheckpoint({ out, ...options }), expected);
      nothingPartial();
    });
  }
});

describe('a folder or file that has to be unpacked first', () => {
  let folder: string;
  beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'm2fp-packed-'))));
  afterEach(() => rmSync(folder, { recursive: true }));
  const convert = (source = folder) => convertCheckpoint({ source, out: join(folder, 'out') });

  for (const name of ['pytorch_model.bin.index.json', 'model-00001-of-00002.safetensors']) {
    it(`says so of a checkpoint in several files: ${name}`, async () => {
      writeFileSync(join(folder, name), '{}');
      const refused = {
        code: 'M2FP_CHECKPOINT_INVALID',
        message: /split into several files.*unpack it first/,
      };
      await assert.rejects(convert(), refused);
      await assert.rejects(convert(join(folder, name)), refused);
      rmSync(join(folder, name));
    });
  }

  it('says so of an archive, also to who takes it for a converted model', async () => {
    writeFileSync(join(folder, 'model.tar.gz'), 'x');
    const message = /archive.*unpack it first/;
    await assert.rejects(convert(), { code: 'M2FP_MODEL_NOT_FOUND', message });
    await assert.rejects(readManifest(join(folder, 'model.tar.gz')), {
      code: 'M2FP_MODEL_NOT_FOUND',
      message,
    });
  });
});

describe('the manifest', () => {
  it('of the bundled model is whole', async () => {
    const manifest = await readManifest(bundledModelFolder());
    assert.equal(manifest.labels.length, 21);
    assert.equal(manifest.precision, 'fp16');
  });

  it('says how to go on where there is none', async () => {
    await assert.rejects(readManifest(join(tmpdir(), 'm2fp-nowhere')), { code: 'M2FP_MODEL_NOT_FOUND' });
    await assert.rejects(readManifest(goldenFolder('multi')), {
      code: 'M2FP_MODEL_NOT_FOUND',
      message: /m2fp convert/,
    });
    const file = join(goldenFolder('multi'), 'pytorch_model.pt');
    await assert.rejects(readManifest(file), { code: 'M2FP_MODEL_NOT_FOUND', message: /m2fp convert/ });
  });

  it('notices a model file of another size', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'm2fp-manifest-'));
    cpSync(bundledModelFolder(), folder, { recursive: true });
    truncateSync(join(folder, 'model.onnx.data'), 1000);
    await assert.rejects(readManifest(folder), {
      code: 'M2FP_MODEL_INVALID',
      message: /1000 bytes instead of/,
    });
    rmSync(join(folder, 'model.onnx'));
    await assert.rejects(readManifest(folder), {
      code: 'M2FP_MODEL_INVALID',
      message: /model\.onnx is missing/,
    });
    rmSync(folder, { recursive: true });
  });

  it('names another format and what is no JSON', () => {
    assert.throws(() => parseManifest('{"format":2}', 'm2fp.json'), /format is 2/);
    assert.throws(() => parseManifest('nonsense', 'm2fp.json'), /not valid JSON/);
  });

  for (const [entry, value] of Object.entries({
    id: 3,
    digest: null,
    kind: 'both',
    labels: [],
    humanIndex: 99,
    input: { kind: 'short-side', shortSide: 'x' },
    scoreThreshold: '0.5',
    mapConfidence: '0.5',
    precision: 'int4',
    files: {},
  })) {
    it(`names the entry that is wrong: ${entry}`, () => {
      const whole = readFileSync(join(bundledModelFolder(), 'm2fp.json'), 'utf8');
      const text = JSON.stringify({ ...JSON.parse(whole), [entry]: value });
      assert.throws(() => parseManifest(text, 'm2fp.json'), {
        code: 'M2FP_MODEL_INVALID',
        message: new RegExp(`"${entry}"`),
      });
    });
  }
});
