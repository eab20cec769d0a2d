/** Mask2Former's masked-attention decoder (docs/m2fp-architecture.md section 6). */
import type { GraphBuilder, Value } from '../onnx/graph.ts';
import { reshaped, sliceRows } from '../onnx/weight.ts';
import {
  joinHeads,
  type Memory,
  packedProjections,
  withPositionEmbedding,
  type Projection,
  scaledFor,
  splitHeads,
} from './attention.ts';
import type { Formulation } from './formulations/types.ts';
import type { MaskHead } from './heads.ts';
import type { HyperParameters } from './hyper-parameters.ts';
import { layerNorm, positionEmbedding } from './layers.ts';
import type { DecodedLevel } from './pixel-decoder.ts';
import type { StateDict } from './state-dict.ts';

/** @returns the queries after the last layer, [queries, hidden] */
export function transformerDecoder(
  g: GraphBuilder,
  levels: readonly DecodedLevel[],
  masks: MaskHead,
  state: StateDict,
  hyper: HyperParameters,
  formulation: Formulation,
): Value {
  const { hiddenDim: hidden, queries, layers, heads, feedForward, preNorm } = hyper.decoder;
  const perHead = hidden / heads;
  const queryPosition = state.get('query_embed.weight', [queries, hidden]);
  const levelEmbed = state.get('level_embed.weight', [levels.length, hidden]);

  const memories = levels.map((level, index): Memory => {
    const { content, position } = g.scope(`memory.${index}`, () => memoryOf(g, level, index, state, hyper));
    const embed = sliceRows(levelEmbed, index, index + 1);
    return { content, positioned: g.add(content, position), embed };
  });

  /** What a branch adds to x; the norm goes before the branch or after the sum. */
  const addAndNorm = (x: Value, module: StateDict, branch: (input: Value) => Value) => {
    const norm = (value: Value) => layerNorm(g, value, module.at('norm'), hidden);
    if (preNorm) return formulation.residual(g, x, branch(norm(x)));
    return norm(formulation.residual(g, x, branch(x)));
  };

  const crossAttentionLayer = (x: Value, layer: number) => {
    const module = state.at(`transformer_cross_attention_layers.${layer}`);
    const level = layer % levels.length;
    const mask = masks.attentionMask(x, level);
    return addAndNorm(x, module, (input) =>
      formulation.crossAttention(
        g,
        { input, memory: memories[level]!, mask, queryPosition, heads },
        module.at('multihead_attn'),
      ),
    );
  };

  const selfAttentionLayer = (x: Value, layer: number) => {
    const module = state.at(`transformer_self_attention_layers.${layer}`);
    const attention = module.at('self_attn');
    const { query, key, value } = packedProjections(attention, hidden);
    return addAndNorm(x, module, (input) => {
      const project = ({ weight, bias }: Projection) =>
        splitHeads(g, g.linear(input, weight, bias), heads, perHead);
      const keys = project(withPositionEmbedding(key, queryPosition));
      const logits = g.matmul(
        project(scaledFor(withPositionEmbedding(query, queryPosition), perHead)),
        g.transpose(keys, [0, 2, 1]),
      );
      const result = joinHeads(g, g.matmul(g.softmax(logits, -1), project(value)), hidden);
      const output = attention.get('out_proj.weight', [hidden, hidden]);
      return g.linear(result, output, attention.get('out_proj.bias', [hidden]));
    });
  };

  const feedForwardLayer = (x: Value, layer: number) => {
    const module = state.at(`transformer_ffn_layers.${layer}`);
    const inner = module.get('linear1.weight', [feedForward, hidden]);
    const outer = module.get('linear2.weight', [hidden, feedForward]);
    return addAndNorm(x, module, (input) => {
      const hiddenLayer = g.relu(g.linear(input, inner, module.get('linear1.bias', [feedForward])));
      return g.linear(hiddenLayer, outer, module.get('linear2.bias', [hidden]));
    });
  };

  let x = g.weight(state.get('query_feat.weight', [queries, hidden]));
  for (let layer = 0; layer < layers; layer++) {
    g.scope(`decoder.${layer}`, () => {
      x = g.scope('cross_attention', () => crossAttentionLayer(x, layer));
      x = g.scope('self_attention', () => selfAttentionLayer(x, layer));
      x = g.scope('ffn', () => feedForwardLayer(x, layer));
    });
  }
  return x;
}

/** A level's tokens and positions in the decoder's width. */
function memoryOf(
  g: GraphBuilder,
  level: DecodedLevel,
  index: number,
  state: StateDict,
  hyper: HyperParameters,
): { content: Value; position: Value } {
  const { convDim } = hyper.pixelDecoder;
  const { hiddenDim, inputProjection } = hyper.decoder;
  if (!inputProjection) return { content: level.tokens, position: level.position };
  const module = state.at(`input_proj.${index}`);
  const weight = reshaped(module.get('weight', [hiddenDim, convDim, 1, 1]), [hiddenDim, convDim]);
  const content = g.linear(level.tokens, weight, module.get('bias', [hiddenDim]));
  const position = hiddenDim === convDim ? level.position : positionEmbedding(g, level.size, hiddenDim);
  return { content, position };
}
