import assert from 'node:assert/strict';
import { openCheckpoint, type Checkpoint } from '../../src/checkpoint/index.ts';
import { inferHyperParameters } from '../../src/m2fp/infer-hyper-parameters.ts';
import { goldenFolder } from '../support/golden.ts';
import { altered, type Tensors } from './support/altered.ts';

describe('hyper-parameters', () => {
  let checkpoint: Checkpoint;
  before(async () => {
    checkpoint = await openCheckpoint(`${goldenFolder('single')}/pytorch_model.pt`);
  });
  after(() => checkpoint.close());

  it('come from the tensors alone', () => {
    const { hyper, warnings } = inferHyperParameters(checkpoint);
    assert.deepEqual(warnings, []);
    assert.deepEqual(hyper.backbone.blocks, [3, 4, 6, 3]);
    const { bottleneckChannels, groups, norm } = hyper.backbone;
    assert.deepEqual({ bottleneckChannels, groups, norm }, { bottleneckChannels: 8, groups: 1, norm: 'BN' });
    assert.deepEqual(hyper.pixelDecoder, {
      convDim: 64,
      maskDim: 64,
      layers: 2,
      feedForward: 64,
      heads: 8,
      points: 4,
      levels: 3,
    });
    assert.deepEqual(hyper.decoder, {
      hiddenDim: 64,
      queries: 20,
      layers: 3,
      feedForward: 128,
      heads: 8,
      classes: 20,
      preNorm: false,
      inputProjection: false,
    });
  });

  it('of the configuration are warned about where the tensors say something else', () => {
    const configuration = { backbone: { depth: 101 }, encoder: {}, decoder: { num_queries: 20 } };
    const { warnings } = inferHyperParameters(checkpoint, configuration);
    assert.equal(warnings.length, 1);
    assert.match(warnings[0]!, /backbone\.depth = 101, the tensors say 50/);
  });

  it('tell where they come from', () => {
    const { origins } = inferHyperParameters(checkpoint, {
      backbone: { stride_in_1x1: false, res4_dilation: null },
      encoder: {},
      decoder: { nheads: 4 },
    });
    const of = (origin: string) => Object.keys(origins).filter((path) => origins[path] === origin);
    assert.deepEqual(of('configuration'), ['backbone.strideIn1x1', 'decoder.heads']);
    assert.deepEqual(of('default'), [
      'backbone.res4Dilation',
      'backbone.res5Dilation',
      'backbone.res5MultiGrid',
      'pixelDecoder.points',
      'decoder.preNorm',
    ]);
    assert.ok(of('tensors').includes('decoder.classes') && of('tensors').includes('backbone.norm'));
  });

  it('of the configuration that contradict the tensors are all warned about', () => {
    const { warnings } = inferHyperParameters(checkpoint, {
      backbone: {
        norm: 'GN',
        num_groups: 32,
        width_per_group: 64,
        stem_out_channels: 128,
        res2_out_channels: 256,
      },
      encoder: { transformer_enc_layers: 6, transformer_dim_feedforward: 1024, conv_dim: 256, mask_dim: 256 },
      decoder: {
        num_classes: 21,
        num_queries: 100,
        hidden_dim: 256,
        dim_feedforward: 2048,
        mask_dim: 256,
        dec_layers: 9,
        enforce_input_project: true,
      },
    });
    assert.equal(warnings.length, 16);
    assert.ok(warnings.every((warning) => / the tensors say \w+ \(used\)$/.test(warning)));
  });

  for (const layers of [3, 4]) {
    it(`of a configuration may count the decoder layers as detectron2 does: ${layers}`, () => {
      const configuration = { backbone: {}, encoder: {}, decoder: { dec_layers: layers } };
      assert.deepEqual(inferHyperParameters(checkpoint, configuration).warnings, []);
    });
  }

  it("of the encoder's heads that only the tensors tell are warned about where they are unusual", () => {
    const attention =
      'sem_seg_head.pixel_decoder.transformer.encoder.layers.0.self_attn.attention_weights.weight';
    const other = altered(checkpoint, (tensors) => (tensors.get(attention)!.shape = [4 * 12, 64]));
    assert.match(inferHyperParameters(other).warnings.join(), /48 attention weights are taken for 4 heads/);
    const configuration = { backbone: {}, encoder: { transformer_nheads: 4 }, decoder: {} };
    assert.deepEqual(inferHyperParameters(other, configuration).warnings, []);
  });

  it('of norms without statistics that nothing tells are warned about', () => {
    const other = altered(checkpoint, (tensors) => {
      for (const [name, { shape }] of tensors) {
        if (name.includes('running_')) tensors.delete(name);
        else tensors.get(name)!.shape = shape.map((dim) => (dim === 8 || dim === 16 ? 32 : dim));
      }
    });
    assert.match(inferHyperParameters(other).warnings.join(), /taken for group norms \(GN\)/);
  });

  describe('of another network are refused by name:', () => {
    const add = (name: string, shape: number[]) => (tensors: Tensors) =>
      tensors.set(name, { name, dtype: 'float32', shape });
    const remove = (pattern: RegExp) => (tensors: Tensors) => {
      for (const name of tensors.keys()) if (pattern.test(name)) tensors.delete(name);
    };
    const decoder = 'sem_seg_head.pixel_decoder';
    const layer = `${decoder}.transformer.encoder.layers.0`;
    const predictor = 'sem_seg_head.predictor';
    for (const [title, change, reason] of [
      [
        'a Swin backbone',
        add('backbone.patch_embed.proj.weight', [96, 3, 4, 4]),
        /Swin transformer.*patch_embed/,
      ],
      ['an FPN backbone', add('backbone.bottom_up.stem.conv1.weight', [1]), /a feature pyramid/],
      ['deformable convolutions', add('backbone.res5.0.conv2_offset.weight', [1]), /DEFORM_ON_PER_STAGE/],
      ['basic blocks', remove(/res2\.0\.conv3/), /basic blocks \(ResNet-18 or 34/],
      ['a basic stem', remove(/stem\.conv[23]/), /a stem of one convolution/],
      ['two FPN levels', add(`${decoder}.adapter_2.weight`, [1]), /more than one FPN level .*adapter_2/],
      ['no FPN level', remove(/adapter_1|layer_1/), /no FPN level \(common_stride 8/],
      ['four levels', add(`${decoder}.input_proj.3.0.weight`, [1]), /more than three levels .*input_proj\.3/],
      ['four embedded levels', add(`${predictor}.level_embed.weight`, [4, 64]), /has 4 levels .*level_embed/],
      ['a layer left out', remove(/encoder\.layers\.0/), /encoder\.layers\.0\.linear1\.weight is missing/],
      ['a block left out', remove(/res4\.3/), /backbone\.res4\.3\.conv1\.weight is missing/],
      [
        'an odd width',
        add(`${decoder}.mask_features.weight`, [64, 72, 1, 1]),
        /conv_dim is 72, no multiple of 32/,
      ],
      [
        'odd points',
        add(`${layer}.self_attn.attention_weights.weight`, [100, 64]),
        /has 8\.3\d+ heads, which do/,
      ],
      [
        'odd heads',
        add(`${layer}.self_attn.attention_weights.weight`, [72, 64]),
        /6 heads, .* conv_dim = 64/,
      ],
      ['odd groups', add('backbone.res2.0.conv2.weight', [8, 3, 3, 3]), /have 3 channels, .* divide their 8/],
      ['an odd hidden width', add(`${predictor}.query_feat.weight`, [20, 66]), /8 heads, .* hidden_dim = 66/],
      [
        'no input_proj',
        add(`${predictor}.query_feat.weight`, [20, 96]),
        /conv_dim is 64 and hidden_dim 96, but/,
      ],
      ['no classes', add(`${predictor}.class_embed.weight`, [1, 64]), /there is no class/],
      ['an empty tensor', add(`${decoder}.mask_features.weight`, [0, 1e15, 1, 1]), /expected 4 axes/],
      [
        'a tensor of other axes',
        add(`${predictor}.query_feat.weight`, [20]),
        /has shape \[20\], expected 2 axes/,
      ],
      [
        'narrow group norms',
        remove(/running_/),
        /the stem's inner width is 8, no multiple of 32.*group norms/,
      ],
    ] as const) {
      it(title, () => {
        assert.throws(() => inferHyperParameters(altered(checkpoint, change)), {
          code: 'M2FP_CHECKPOINT_INVALID',
          message: reason,
        });
      });
    }

    for (const [section, key, value, reason] of [
      ['encoder', 'common_stride', 8, /common_stride = 8; only 4 is supported/],
      [
        'encoder',
        'transformer_in_features',
        ['res4', 'res5'],
        /\["res4","res5"\]; only \["res3","res4","res5"\]/,
      ],
      ['encoder', 'in_features', ['res3', 'res4', 'res5'], /in_features = /],
      [
        'encoder',
        'transformer_nheads',
        4,
        /transformer_nheads = 4, but the 96 attention weights are those of 8/,
      ],
      ['backbone', 'res5_dilation', 3, /res5_dilation 3; supported are/],
      ['backbone', 'res4_dilation', 2, /res4_dilation is 2 and res5_dilation 1; supported are/],
      ['backbone', 'res5_dilation', '2', /res5_dilation is "2", not a positive whole number/],
      ['backbone', 'res5_multi_grid', [1, 2], /res5_multi_grid is \[1,2\], not a list of 3/],
      ['backbone', 'res5_multi_grid', [1, 0, 1], /not a list of 3 positive whole numbers/],
      ['backbone', 'stride_in_1x1', 'no', /stride_in_1x1 is "no", not true or false/],
      ['decoder', 'pre_norm', 1, /pre_norm is 1, not true or false/],
      ['decoder', 'nheads', 7, /7 heads, which do not divide hidden_dim = 64/],
      ['decoder', 'nheads', 0, /nheads is 0, not a positive whole number/],
    ] as const) {
      it(`${key} = ${JSON.stringify(value)}`, () => {
        const configuration = { backbone: {}, encoder: {}, decoder: {}, [section]: { [key]: value } };
        assert.throws(() => inferHyperParameters(checkpoint, configuration), {
          code: 'M2FP_CHECKPOINT_INVALID',
          message: reason,
        });
      });
    }

    it('norms that are neither BN nor GN', () => {
      const configuration = { backbone: { norm: 'LN' }, encoder: {}, decoder: {} };
      assert.throws(() => inferHyperParameters(altered(checkpoint, remove(/running_/)), configuration), {
        message: /norm = "LN", but the tensors hold no running statistics/,
      });
    });
  });

  it('of something that is no M2FP checkpoint name the first tensor that is missing', () => {
    const other = { ...altered(checkpoint, (tensors) => tensors.clear()), file: 'resnet.pt' };
    assert.throws(
      () => inferHyperParameters(other),
      /resnet\.pt: the tensor backbone\.res2\.0\.conv1\.weight is missing/,
    );
  });
});
