/**
 * A typed builder of ONNX graphs (opset 20). Values are handles, operators are methods that return handles;
 * the operator's documentation is https://onnx.ai/onnx/operators/. Weights stay recipes until the file is
 * written.
 */
import type { Attribute, DataType, NodeProto, ValueInfoProto } from './proto.ts';
import { elements, literal, reshaped, type Weight } from './weight.ts';

/** The operator set that every graph declares. */
export const OPSET = 20;

/** A tensor in the graph. */
export interface Value {
  readonly name: string;
  readonly type: DataType;
}

/** A dimension: known now, or a one-element int64 tensor. */
export type Dim = number | Value;

export type Initializer =
  | { name: string; dataType: 'float32'; weight: Weight }
  | { name: string; dataType: 'int64'; shape: readonly number[]; values: readonly number[] };

export interface Graph {
  nodes: readonly NodeProto[];
  initializers: readonly Initializer[];
  inputs: readonly ValueInfoProto[];
  outputs: readonly ValueInfoProto[];
}

export interface ConvOptions {
  weight: Weight;
  bias?: Weight;
  stride?: number;
  dilation?: number;
  groups?: number;
}

export interface DeformConvOptions {
  weight: Value;
  offset: Value;
  mask: Value;
  kernel: [number, number];
  /** [top, left, bottom, right]. */
  pads: [number, number, number, number];
  stride: number;
  groups: number;
  offsetGroups: number;
}

export class GraphBuilder {
  readonly #nodes: NodeProto[] = [];
  readonly #initializers: Initializer[] = [];
  readonly #inputs: ValueInfoProto[] = [];
  readonly #outputs: ValueInfoProto[] = [];
  readonly #integers = new Map<string, Value>();
  readonly #names = new Map<string, number>();
  #path = '';

  /** Everything that `build` adds carries `name` in its path, so that a profile reads like the network. */
  scope<T>(name: string, build: () => T): T {
    const outer = this.#path;
    this.#path = `${outer}/${name}`;
    try {
      return build();
    } finally {
      this.#path = outer;
    }
  }

  /** The finished graph. */
  finish(): Graph {
    return {
      nodes: this.#nodes,
      initializers: this.#initializers,
      inputs: this.#inputs,
      outputs: this.#outputs,
    };
  }

  input(name: string, type: DataType, dims: readonly (number | string)[]): Value {
    this.#inputs.push({ name, dataType: type, dims });
    return { name, type };
  }

  output(name: string, value: Value, dims: readonly (number | string)[]): void {
    this.#nodes.push({ name, opType: 'Identity', inputs: [value.name], outputs: [name], attributes: {} });
    this.#outputs.push({ name, dataType: value.type, dims });
  }

  /** Floating-point values from the checkpoint, or computed from it. */
  weight(weight: Weight): Value {
    const name = this.#unique('weight');
    this.#initializers.push({ name, dataType: 'float32', weight });
    return { name, type: 'float32' };
  }

  /** A floating-point constant of our own. */
  floats(values: readonly number[], shape: readonly number[] = [values.length]): Value {
    return this.weight(literal(values, shape));
  }

  scalar(value: number): Value {
    return this.floats([value], []);
  }

  /** An int64 vector; equal ones are stored once. */
  integers(values: readonly number[]): Value {
    const key = values.join();
    let value = this.#integers.get(key);
    if (value === undefined) {
      value = { name: this.#unique('integers'), type: 'int64' };
      this.#initializers.push({ name: value.name, dataType: 'int64', shape: [values.length], values });
      this.#integers.set(key, value);
    }
    return value;
  }

  /** One output of an operator that has no method here; the type is that of the first input unless told. */
  operator(
    opType: string,
    inputs: readonly Value[],
    attributes: Record<string, Attribute> = {},
    type?: DataType,
  ): Value {
    return this.#op(opType, inputs, attributes, type);
  }

  // Arithmetic, with numpy's broadcasting.

  add(a: Value, b: Value): Value {
    return this.#op('Add', [a, b]);
  }

  sub(a: Value, b: Value): Value {
    return this.#op('Sub', [a, b]);
  }

  mul(a: Value, b: Value): Value {
    return this.#op('Mul', [a, b]);
  }

  div(a: Value, b: Value): Value {
    return this.#op('Div', [a, b]);
  }

  mod(a: Value, b: Value): Value {
    return this.#op('Mod', [a, b]);
  }

  /** A sum that onnxruntime leaves alone, where it would fuse Add with what follows. */
  sum(...values: Value[]): Value {
    return this.#op('Sum', values);
  }

  relu(x: Value): Value {
    return this.#op('Relu', [x]);
  }

  sigmoid(x: Value): Value {
    return this.#op('Sigmoid', [x]);
  }

  exp(x: Value): Value {
    return this.#op('Exp', [x]);
  }

  sin(x: Value): Value {
    return this.#op('Sin', [x]);
  }

  less(a: Value, b: Value): Value {
    return this.#op('Less', [a, b], {}, 'bool');
  }

  greaterOrEqual(a: Value, b: Value): Value {
    return this.#op('GreaterOrEqual', [a, b], {}, 'bool');
  }

  and(a: Value, b: Value): Value {
    return this.#op('And', [a, b]);
  }

  cast(x: Value, to: 'float32' | 'int64'): Value {
    return this.#op('Cast', [x], { to: to === 'float32' ? 1 : 7 }, to);
  }

  softmax(x: Value, axis: number): Value {
    return this.#op('Softmax', [x], { axis });
  }

  reduceMax(x: Value, axis: number): Value {
    return this.#op('ReduceMax', [x, this.integers([axis])], { keepdims: 1 });
  }

  reduceSum(x: Value, axis: number): Value {
    return this.#op('ReduceSum', [x, this.integers([axis])], { keepdims: 1 });
  }

  // Matrices.

  matmul(a: Value, b: Value): Value {
    return this.#op('MatMul', [a, b]);
  }

  /** a · b + c for matrices, each of a and b transposed first where asked. */
  gemm(
    a: Value,
    b: Value,
    c: Value | undefined,
    options: { transA?: boolean; transB?: boolean } = {},
  ): Value {
    const { transA = false, transB = false } = options;
    return this.#op('Gemm', c === undefined ? [a, b] : [a, b, c], {
      transA: Number(transA),
      transB: Number(transB),
    });
  }

  /** PyTorch's Linear: x [n, in] · weightᵀ + bias, weight [out, in]. */
  linear(x: Value, weight: Weight, bias?: Weight): Value {
    return this.gemm(x, this.weight(weight), bias && this.weight(bias), { transB: true });
  }

  /** A Linear whose result is channel-major: weight [out, in] · xᵀ + bias -> [out, n], x [n, in]. */
  linearTransposed(x: Value, weight: Value, bias: Weight): Value {
    const column = this.weight(reshaped(bias, [elements(bias.shape), 1]));
    return this.gemm(weight, x, column, { transB: true });
  }

  // Pictures, [1, channels, height, width].

  /** Odd kernels, padded so that stride 1 keeps the size. */
  conv(x: Value, { weight, bias, stride = 1, dilation = 1, groups = 1 }: ConvOptions): Value {
    const kernel = weight.shape.slice(2);
    const pads = kernel.map((size) => ((size - 1) / 2) * dilation);
    return this.#op('Conv', [x, this.weight(weight), ...(bias ? [this.weight(bias)] : [])], {
      kernel_shape: kernel,
      pads: [...pads, ...pads],
      strides: [stride, stride],
      dilations: [dilation, dilation],
      group: groups,
    });
  }

  deformConv(x: Value, options: DeformConvOptions): Value {
    // An empty name stands for an absent input: there is no bias.
    const none: Value = { name: '', type: 'float32' };
    return this.#op('DeformConv', [x, options.weight, options.offset, none, options.mask], {
      kernel_shape: options.kernel,
      pads: options.pads,
      strides: [options.stride, options.stride],
      dilations: [1, 1],
      group: options.groups,
      offset_group: options.offsetGroups,
    });
  }

  maxPool(x: Value, kernel: number, stride: number, padding: number): Value {
    return this.#op('MaxPool', [x], {
      kernel_shape: [kernel, kernel],
      strides: [stride, stride],
      pads: [padding, padding, padding, padding],
    });
  }

  /** Bilinear, PyTorch's align_corners=False without antialias. `size` holds all dimensions of the result. */
  resizeBilinear(x: Value, size: readonly Dim[]): Value {
    const none: Value = { name: '', type: 'float32' };
    return this.#op('Resize', [x, none, none, this.dims(size)], {
      mode: 'linear',
      coordinate_transformation_mode: 'half_pixel',
    });
  }

  /** Zeros around x; `pads` holds the begin of every axis, then the end of every axis. */
  pad(x: Value, pads: readonly Dim[]): Value {
    return this.#op('Pad', [x, this.dims(pads)], { mode: 'constant' });
  }

  // Normalisation.

  layerNorm(x: Value, weight: Weight, bias: Weight, epsilon: number): Value {
    return this.#op('LayerNormalization', [x, this.weight(weight), this.weight(bias)], {
      axis: -1,
      epsilon: { float: epsilon },
    });
  }

  /**
   * Group normalisation with an affine weight and bias per channel. Written out because onnxruntime's
   * InstanceNormalization uses one thread.
   */
  groupNorm(x: Value, groups: number, weight: Weight, bias: Weight, epsilon: number): Value {
    const channels = elements(weight.shape);
    const perGroup = [groups, channels / groups];
    const rows = this.reshape(x, [channels, -1]);
    // First over each channel: the sum of a whole group in one go would lose digits.
    const mean = (reduction: 'ReduceSum' | 'ReduceSumSquare') => {
      const sums = this.#op(reduction, [rows, this.integers([1])], { keepdims: 1 });
      const means = this.div(sums, this.cast(this.dim(rows, 1), 'float32'));
      return this.#op('ReduceMean', [this.reshape(means, perGroup), this.integers([1])], { keepdims: 1 });
    };
    const centre = mean('ReduceSum');
    const variance = this.sub(mean('ReduceSumSquare'), this.mul(centre, centre));
    const deviation = this.#op('Sqrt', [this.add(variance, this.scalar(epsilon))]);
    const scale = this.div(this.weight(reshaped(weight, perGroup)), deviation);
    const offset = this.sub(this.weight(reshaped(bias, perGroup)), this.mul(centre, scale));
    const perChannel = (values: Value) => this.reshape(values, [1, channels, 1, 1]);
    return this.add(this.mul(x, perChannel(scale)), perChannel(offset));
  }

  // Shapes.

  /** All dimensions of x as an int64 vector. */
  shape(x: Value): Value {
    return this.#op('Shape', [x], {}, 'int64');
  }

  /** Dimension `axis` of x, as a one-element vector. */
  dim(x: Value, axis: number): Value {
    return this.#op('Shape', [x], { start: axis, end: axis + 1 }, 'int64');
  }

  /** A shape from known and computed dimensions. */
  dims(dims: readonly Dim[]): Value {
    if (dims.every((dim) => typeof dim === 'number')) return this.integers(dims);
    return this.concat(
      dims.map((dim) => (typeof dim === 'number' ? this.integers([dim]) : dim)),
      0,
    );
  }

  /** ONNX's Reshape: -1 is what remains. */
  reshape(x: Value, dims: readonly Dim[]): Value {
    return this.#op('Reshape', [x, this.dims(dims)]);
  }

  expand(x: Value, dims: readonly Dim[]): Value {
    return this.#op('Expand', [x, this.dims(dims)]);
  }

  transpose(x: Value, permutation: readonly number[]): Value {
    return this.#op('Transpose', [x], { perm: permutation });
  }

  squeeze(x: Value, axis: number): Value {
    return this.#op('Squeeze', [x, this.integers([axis])]);
  }

  concat(values: readonly Value[], axis: number): Value {
    return this.#op('Concat', values, { axis });
  }

  /** Pieces of the given sizes. */
  split(x: Value, sizes: readonly Dim[], axis: number): Value[] {
    return this.#ops('Split', [x, this.dims(sizes)], { axis }, x.type, sizes.length);
  }

  /** The floats 1, 2, .. up to the one-element int64 vector `count`. */
  countFromOne(count: Value): Value {
    const limit = this.add(this.cast(this.squeeze(count, 0), 'float32'), this.scalar(1));
    return this.#op('Range', [this.scalar(1), limit, this.scalar(1)]);
  }

  #op(
    opType: string,
    inputs: readonly Value[],
    attributes: Record<string, Attribute> = {},
    type?: DataType,
  ): Value {
    return this.#ops(opType, inputs, attributes, type ?? inputs[0]!.type, 1)[0]!;
  }

  #ops(
    opType: string,
    inputs: readonly Value[],
    attributes: Record<string, Attribute>,
    type: DataType,
    count: number,
  ): Value[] {
    const name = this.#unique(opType);
    const outputs = Array.from({ length: count }, (_, index) => (count === 1 ? name : `${name}.${index}`));
    this.#nodes.push({ name, opType, inputs: inputs.map((input) => input.name), outputs, attributes });
    return outputs.map((output) => ({ name: output, type }));
  }

  #unique(name: string): string {
    const path = `${this.#path}/${name}`;
    const count = this.#names.get(path) ?? 0;
    this.#names.set(path, count + 1);
    return count === 0 ? path : `${path}_${count}`;
  }
}
