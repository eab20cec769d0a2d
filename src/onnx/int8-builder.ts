/**
 * The graph with parts of it in int8, written as QuantizeLinear and DequantizeLinear around float operators (QDQ), which
 * onnxruntime turns into operators on whole numbers. Activations are unsigned with a zero point, weights signed with a
 * scale for each output channel. A Relu is no operator here: activations end at zero.
 */
import { ActivationBuilder } from './activation-builder.ts';
import { convAttributes } from './conv-attributes.ts';
import type { Graph, Replace, Value } from './graph.ts';
import { biasScales, correctedBias, int32Bias, int8Rows, rowScales, type WeightBits } from './int8-weight.ts';
import type { ConvOptions, GemmOptions, Initializer } from './types.ts';
import { elements, literal, reshaped, type Weight } from './weight.ts';

/** What is known of an activation. */
export interface ActivationFacts {
  /** The range that is kept apart; what lies outside becomes its end. */
  min: number;
  max: number;
  /** Of the channels; for the correction of biases. */
  means: Float32Array;
}

export interface Int8Options {
  /** Names of the parts that become int8. */
  parts: Iterable<string>;
  /** By the names that {@link ActivationBuilder} gives. */
  activations: ReadonlyMap<string, ActivationFacts>;
  weightBits: WeightBits;
  /** Whether biases make up for what rounding the weights does to the means of outputs. */
  correctBias: boolean;
  replace?: Replace;
}

const LEVELS = 255;

/** Scale and zero point of a range, which is widened to hold zero. */
export function roundingOf({ min, max }: Pick<ActivationFacts, 'min' | 'max'>): {
  scale: number;
  zero: number;
} {
  const low = Math.min(min, 0);
  const scale = Math.fround((Math.max(max, 0) - low) / LEVELS);
  // Nothing but zeros.
  if (scale === 0) return { scale: 1, zero: 0 };
  return { scale, zero: Math.min(LEVELS, Math.round(-low / scale)) };
}

/** An activation in the graph. */
interface Rounding {
  scale: number;
  means: Float32Array;
  /** Scale and zero point. */
  inputs: [Value, Value];
}

/** A weight and its bias in the graph. */
interface RoundedWeight {
  weight: Value;
  bias: Value | undefined;
}

/** A weight in the graph, with the biases that it was used with by their names. */
interface RoundedMatrix {
  value: Value;
  scales: Weight;
  biases: Map<string, Value | undefined>;
}

export class Int8Builder extends ActivationBuilder {
  readonly #options: Int8Options;
  readonly #weights = new Map<string, Weight>();
  /** By the name of the activation. */
  readonly #activations = new Map<string, Rounding>();
  /** By the name of the rounded value. */
  readonly #roundings = new Map<string, Rounding>();
  readonly #roundedWeights = new Map<string, RoundedMatrix>();

  constructor(options: Int8Options) {
    super(options.parts, options.replace);
    this.#options = options;
  }

  /** A quarter of the size, all of it stays in the cache. */
  override pieces(part: string, count: number): number {
    return this.isChosen(part) ? 1 : count;
  }

  override finish(): Graph {
    const graph = super.finish();
    const used = new Set(graph.nodes.flatMap((node) => node.inputs));
    return { ...graph, initializers: graph.initializers.filter(({ name }) => used.has(name)) };
  }

  protected override initializer(item: Initializer): Value {
    if (item.dataType === 'float32') this.#weights.set(item.name, item.weight);
    return super.initializer(item);
  }

  protected override round(x: Value, name: string): Value {
    return this.#quantize(x, this.#activation(name));
  }

  protected override pooled(from: Value, to: Value): Value {
    return this.#quantize(to, this.#roundingOf(from));
  }

  protected override convOfRounded(x: Value, { weight, bias, relu: _clipped, ...shape }: ConvOptions): Value {
    const float = this.weight(weight);
    const rounded = this.#roundedWeight(float, bias && this.weight(bias), x);
    return this.#operator('Conv', x, rounded, convAttributes(weight, shape));
  }

  protected override gemmOfRounded(x: Value, b: Value, c: Value | undefined, options: GemmOptions): Value {
    const { transA = false } = options;
    return this.#operator('Gemm', x, this.#roundedWeight(b, c, x), { transA: Number(transA), transB: 1 });
  }

  /**
   * As a 1 x 1 convolution of a map of one column, whose tokens lie as onnxruntime's int8 convolution wants them: the
   * transposes vanish. It adds the bias and clips piece by piece, where a Gemm writes all sums to memory first.
   */
  protected override gemmReluOfRounded(
    x: Value,
    b: Value,
    c: Value | undefined,
    options: GemmOptions,
    output: string,
  ): Value {
    if (options.transA === true) return this.gemmOfRounded(x, b, c, options);
    const [input, result] = [this.#roundingOf(x), this.#activation(output)];
    const axes = this.integers([0, 2]);
    // Values are rounded after each step, to what they are already: so onnxruntime does the steps on whole numbers.
    const rows = this.#quantize(this.operator('Unsqueeze', [x, axes]), input);
    const map = this.#quantize(this.transpose(rows, [0, 3, 1, 2]), input);
    const weight = this.#roundedWeight(b, c, map, [1, 1]);
    const y = this.#operator('Conv', map, weight, { kernel_shape: [1, 1] });
    const turned = this.#quantize(this.transpose(this.#quantize(y, result), [0, 2, 3, 1]), result);
    return this.operator('Squeeze', [turned, axes]);
  }

  protected override linearTransposedOfRounded(x: Value, weight: Value, bias: Weight | undefined): Value {
    // Only the second factor of a product may have a scale for each row.
    const column = bias && this.weight(reshaped(bias, [elements(bias.shape), 1]));
    const y = this.#operator('Gemm', x, this.#roundedWeight(weight, column, x), { transA: 0, transB: 1 });
    return this.transpose(y, [1, 0]);
  }

  protected override residualOfRounded(delta: Value, shortcut: Value): Value {
    return this.add(delta, shortcut);
  }

  #operator(
    opType: 'Conv' | 'Gemm',
    x: Value,
    { weight, bias }: RoundedWeight,
    attributes: Parameters<ActivationBuilder['operator']>[2],
  ): Value {
    return this.operator(opType, bias === undefined ? [x, weight] : [x, weight, bias], attributes);
  }

  #activation(name: string): Rounding {
    let rounding = this.#activations.get(name);
    if (rounding === undefined) {
      const facts = this.#options.activations.get(name);
      if (facts === undefined) throw new Error(`Nothing is known of the activation ${name}`);
      const { scale, zero } = roundingOf(facts);
      rounding = {
        scale,
        means: facts.means,
        inputs: [
          this.#constant(`${name}.scale`, literal([scale], [])),
          this.initializer({
            name: `${name}.zero`,
            dataType: 'uint8',
            weight: { shape: [], load: () => Promise.resolve(Uint8Array.of(zero)) },
          }),
        ],
      };
      this.#activations.set(name, rounding);
    }
    return rounding;
  }

  #roundingOf(x: Value): Rounding {
    return this.#roundings.get(x.name)!;
  }

  #quantize(x: Value, rounding: Rounding): Value {
    const whole = this.operator('QuantizeLinear', [x, ...rounding.inputs], {}, 'uint8');
    const value = this.#dequantize([whole, ...rounding.inputs]);
    this.#roundings.set(value.name, rounding);
    return value;
  }

  #dequantize(inputs: Value[], attributes = {}): Value {
    return this.operator('DequantizeLinear', inputs, attributes, 'float32');
  }

  #constant(name: string, weight: Weight): Value {
    return this.initializer({ name, dataType: 'float32', weight });
  }

  /**
   * The weight once for all values that it is applied to, and each of its biases once.
   * @param kernel further dimensions that the weight is to have
   */
  #roundedWeight(
    float: Value,
    floatBias: Value | undefined,
    x: Value,
    kernel: readonly number[] = [],
  ): RoundedWeight {
    const bias = floatBias && this.#weights.get(floatBias.name);
    const rounding = this.#roundingOf(x);
    let rounded = this.#roundedWeights.get(float.name);
    if (rounded === undefined) {
      rounded = this.#roundWeight(float.name, bias, rounding, kernel);
      this.#roundedWeights.set(float.name, rounded);
    }
    const { value, biases } = rounded;
    const key = floatBias?.name ?? '';
    if (!biases.has(key)) biases.set(key, this.#roundBias(float.name, bias, rounded, rounding));
    return { weight: value, bias: biases.get(key) };
  }

  #roundWeight(
    name: string,
    bias: Weight | undefined,
    { scale }: Rounding,
    kernel: readonly number[],
  ): RoundedMatrix {
    const { weightBits } = this.#options;
    const matrix = this.#weights.get(name)!;
    const weight = reshaped(matrix, [...matrix.shape, ...kernel]);
    const scales = rowScales(weight, bias, scale, weightBits);
    const rows = weight.shape[0]!;
    const whole: Initializer[] = [
      { name: `${name}.int8`, dataType: 'int8', weight: int8Rows(weight, scales, weightBits) },
      { name: `${name}.scale`, dataType: 'float32', weight: scales },
      {
        name: `${name}.zero`,
        dataType: 'int8',
        weight: { shape: [rows], load: () => Promise.resolve(new Int8Array(rows)) },
      },
    ];
    const value = this.#dequantize(
      whole.map((item) => this.initializer(item)),
      { axis: 0 },
    );
    return { value, scales, biases: new Map() };
  }

  #roundBias(
    name: string,
    bias: Weight | undefined,
    { scales, biases }: RoundedMatrix,
    { scale, means }: Rounding,
  ): Value | undefined {
    const { weightBits, correctBias } = this.#options;
    const weight = this.#weights.get(name)!;
    const corrected = correctBias ? correctedBias({ weight, bias, scales, means }, weightBits) : bias;
    if (corrected === undefined) return undefined;
    const units = biasScales(scales, scale);
    const own = `${name}.bias${biases.size === 0 ? '' : `.${biases.size}`}`;
    const whole: Initializer[] = [
      { name: own, dataType: 'int32', weight: int32Bias(corrected, units) },
      { name: `${own}.scale`, dataType: 'float32', weight: units },
    ];
    return this.#dequantize(
      whole.map((item) => this.initializer(item)),
      { axis: 0 },
    );
  }
}
