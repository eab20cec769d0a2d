import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { openCheckpoint } from '../../src/checkpoint/index.ts';
import { readConfiguration } from '../../src/m2fp/configuration.ts';
import { inferHyperParameters } from '../../src/m2fp/infer-hyper-parameters.ts';
import { buildNetwork } from '../../src/m2fp/network.ts';
import { writeModel } from '../../src/onnx/write.ts';
import { convertCheckpoint } from '../../src/store/convert.ts';
import { runModel } from '../support/model.ts';

const FIXTURES = join(import.meta.dirname, 'fixtures');
const FILES = ['pytorch_model.pt', 'pytorch_model.bin', 'model_final.pth', 'model.safetensors'];

/** Bounds of the differences from the reference in double precision; its own in single precision are up to 1.1e-4. */
const BOUND = 1e-3;

interface Packed {
  shape: number[];
  base64: string;
}

type Case = Record<'image' | 'pred_logits' | 'pred_masks', Packed>;

const OUTPUTS = ['pred_logits', 'pred_masks'] as const;

function unpack({ base64 }: Packed): ArrayBuffer {
  const bytes = gunzipSync(Buffer.from(base64, 'base64'));
  return bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength);
}

/** Converts a fixture and gives the largest difference from the reference, of logits and of masks. */
async function differences(variant: string, configured = true) {
  const source = join(FIXTURES, variant);
  const file = FILES.map((name) => join(source, name)).find((path) => existsSync(path))!;
  const checkpoint = await openCheckpoint(file);
  const folder = await mkdtemp(join(tmpdir(), `m2fp-${variant}-`));
  try {
    const configuration = configured
      ? await readConfiguration(join(source, 'configuration.json'))
      : undefined;
    const { hyper, warnings } = inferHyperParameters(checkpoint, configuration);
    const network = buildNetwork(checkpoint, hyper, 'multi');
    await writeModel(network, folder, { precision: 'fp32', producer: { name: 'test', version: '1' } });
    const expected = JSON.parse(readFileSync(join(source, 'case.json'), 'utf8')) as Case;
    const [height, width] = expected.image.shape as [number, number];
    const outputs = await runModel(folder, new Uint8Array(unpack(expected.image)), height, width);
    const largest = OUTPUTS.map((name) => {
      const reference = new Float32Array(unpack(expected[name]));
      assert.deepEqual(outputs[name]!.shape, expected[name].shape);
      return outputs[name]!.data.reduce((max, value, i) => Math.max(max, Math.abs(value - reference[i]!)), 0);
    });
    return { largest: Math.max(...largest), hyper, warnings: [...warnings, ...network.warnings] };
  } finally {
    await checkpoint.close();
    await rm(folder, { recursive: true });
  }
}

describe('variants of the network', () => {
  for (const [variant, facts] of Object.entries({
    'depth-101': { 'backbone.blocks': [3, 4, 23, 3], 'decoder.classes': 8 },
    'depth-152': { 'backbone.blocks': [3, 8, 36, 3], 'decoder.classes': 60 },
    groups: { 'backbone.groups': 2, 'decoder.classes': 20 },
    'stride-in-1x1': { 'backbone.strideIn1x1': true },
    'group-norm': { 'backbone.norm': 'GN', 'backbone.groups': 32 },
    'dilated-res5': { 'backbone.res5Dilation': 2, 'backbone.res5MultiGrid': [1, 2, 4] },
    'dilated-res4': { 'backbone.res4Dilation': 2, 'backbone.res5Dilation': 4 },
    'input-projection': { 'decoder.hiddenDim': 16, 'decoder.inputProjection': true },
    'enforced-projection': {
      'pixelDecoder.convDim': 32,
      'decoder.hiddenDim': 32,
      'decoder.inputProjection': true,
    },
    'pre-norm': { 'decoder.preNorm': true },
  })) {
    it(`compute what PyTorch computes: ${variant}`, async () => {
      const { largest, hyper, warnings } = await differences(variant);
      assert.deepEqual(warnings, []);
      for (const [path, value] of Object.entries(facts)) {
        const [section, name] = path.split('.') as [keyof typeof hyper, string];
        assert.deepEqual((hyper[section] as Record<string, unknown>)[name], value, path);
      }
      assert.ok(largest <= BOUND, `differs by ${largest}`);
    });
  }

  for (const variant of ['stride-in-1x1', 'dilated-res5', 'dilated-res4', 'pre-norm']) {
    it(`that only the configuration tells apart do differ: ${variant}`, async () => {
      const { largest } = await differences(variant, false);
      assert.ok(largest > 100 * BOUND, `differs by ${largest} only`);
    });
  }

  for (const [variant, kind, label] of [
    ['depth-101', 'multi', 'Upper-arm'],
    ['groups', 'single', 'Dress'],
    ['pre-norm', 'multi', 'Dress'],
    ['depth-152', 'multi', 'Right-arm'],
  ] as const) {
    it(`convert from their folders, with the labels that the number of classes tells: ${variant}`, async () => {
      const out = await mkdtemp(join(tmpdir(), `m2fp-${variant}-`));
      try {
        const source = join(FIXTURES, variant);
        const { manifest, warnings, origins } = await convertCheckpoint({ source, out });
        assert.deepEqual(warnings, []);
        assert.equal(manifest.kind, kind);
        assert.equal(manifest.labels[6], label);
        assert.equal(manifest.humanIndex, kind === 'single' ? null : manifest.labels.length - 1);
        assert.ok(!('origins' in manifest) && !('warnings' in manifest));
        assert.equal(origins['kind'], 'tensors');
        const configured = variant === 'depth-101' ? 'default' : 'configuration';
        assert.equal(origins['decoder.heads'], configured);
      } finally {
        await rm(out, { recursive: true });
      }
    });
  }
});
