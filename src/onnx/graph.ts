/**
 * A typed builder of ONNX graphs. Values are handles, operators are methods that return handles; the operator's documentation
 * is https://onnx.ai/onnx/operators/. Weights stay recipes until the file is written.
 */
import { convAttributes } from './conv-attributes.ts';
import { OPSET, type Opset } from './opset.ts';
import type { Attribute, DataType, NodeProto, ValueInfoProto } from './proto.ts';
import type { ConvOptions, DeformConvOptions, Dim, GemmOptions, Graph, Initializer, Value } from './types.ts';
import { elements, literal, reshaped, type Weight } from './weight.ts';

export { OPSET, type Opset } from './opset.ts';
export type { Dim, Graph, Value } from './types.ts';

/** Stands for an input that is absent. */
const NONE: Value = { name: '', type: 'float32' };

/** What is written in the place of the weight of that name. */
export type Replace = (name: string, weight: Weight) => Weight;

export class GraphBuilder {
  readonly #nodes: NodeProto[] = [];
  readonly #initializers: Initializer[] = [];
  readonly #inputs: ValueInfoProto[] = [];
  readonly #outputs: ValueInfoProto[] = [];
  readonly #integers = new Map<string, Value>();
  readonly #names = new Map<string, number>();
  readonly #replace: Replace;
  readonly #opset: Opset;
  #path = '';
  #part: string | null = null;

  /** @param replace what is written in the place of each weight; by default itself */
  constructor(replace: Replace = (_name, weight) => weight, opset: Opset = OPSET) {
    this.#replace = replace;
    this.#opset = opset;
  }

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

  /** The same for a part of the network that is chosen as a whole, to be int8 for example; names stay as they are. */
  part<T>(name: string, build: () => T): T {
    const outer = this.#part;
    this.#part = name;
    try {
      return build();
    } finally {
      this.#part = outer;
    }
  }

  /**
   * In how many pieces a part works off what it does with many tokens.
   * @param count where float arithmetic is fastest
   */
  pieces(_part: string, count: number): number {
    return count;
  }

  /** The innermost {@link part} that is being built. */
  protected get currentPart(): string | null {
    return this.#part;
  }

  /** The finished graph. */
  finish(): Graph {
    return {
      opset: this.#opset,
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
    const name = this.unique('weight');
    return this.initializer({ name, dataType: 'float32', weight: this.#replace(name, weight) });
  }

  protected initializer(item: Initializer): Value {
    this.#initializers.push(item);
    return { name: item.name, type: item.dataType };
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
      const name = this.unique('integers');
      value = this.initializer({ name, dataType: 'int64', shape: [values.length], values });
      this.#integers.set(key, value);
    }
    return value;
  }

  /** One output of an operator; the type is that of the first input unless told. */
  operator(
    opType: string,
    inputs: readonly Value[],
    attributes: Record<string, Attribute> = {},
    type?: DataType,
  ): Value {
    return this.#ops(opType, inputs, attributes, type ?? inputs[0]!.type, 1)[0]!;
  }

  // Arithmetic, with numpy's broadcasting.

  add(a: Value, b: Value): Value {
    return this.operator('Add', [a, b]);
  }

  sub(a: Value, b: Value): Value {
    return this.operator('Sub', [a, b]);
  }

  mul(a: Value, b: Value): Value {
    return this.operator('Mul', [a, b]);
  }

  div(a: Value, b: Value): Value {
    return this.operator('Div', [a, b]);
  }

  mod(a: Value, b: Value): Value {
    return this.operator('Mod', [a, b]);
  }

  /** A sum that onnxruntime leaves alone, where it would fuse Add with what follows. */
  sum(...values: Value[]): Value {
    return this.operator('Sum', values);
  }

  relu(x: Value): Value {
    return this.operator('Relu', [x]);
  }

  sigmoid(x: Value): Value {
    return this.operator('Sigmoid', [x]);
  }

  exp(x: Value): Value {
    return this.operator('Exp', [x]);
  }

  sin(x: Value): Value {
    return this.operator('Sin', [x]);
  }

  less(a: Value, b: Value): Value {
    return this.operator('Less', [a, b], {}, 'bool');
  }

  greaterOrEqual(a: Value, b: Value): Value {
    return this.operator('GreaterOrEqual', [a, b], {}, 'bool');
  }

  and(a: Value, b: Value): Value {
    return this.operator('And', [a, b]);
  }

  cast(x: Value, to: 'float32' | 'int64'): Value {
    return this.operator('Cast', [x], { to: to === 'float32' ? 1 : 7 }, to);
  }

  softmax(x: Value, axis: number): Value {
    return this.operator('Softmax', [x], { axis });
  }

  reduceMax(x: Value, axis: number): Value {
    return this.reduce('ReduceMax', x, axis);
  }

  reduceSum(x: Value, axis: number): Value {
    return this.reduce('ReduceSum', x, axis);
  }

  /** The axis stays, with one element. */
  reduce(
    opType: 'ReduceMax' | 'ReduceSum' | 'ReduceMean' | 'ReduceSumSquare',
    x: Value,
    axis: number,
  ): Value {
    const old = this.#opset < 18 && opType !== 'ReduceSum';
    if (old) return this.operator(opType, [x], { axes: [axis], keepdims: 1 });
    return this.operator(opType, [x, this.integers([axis])], { keepdims: 1 });
  }

  // Matrices.

  matmul(a: Value, b: Value): Value {
    return this.operator('MatMul', [a, b]);
  }

  /** a · b + c for matrices, each of a and b transposed first where asked. */
  gemm(a: Value, b: Value, c: Value | undefined, options: GemmOptions = {}): Value {
    return this.#gemm(a, b, c, options);
  }

  /** PyTorch's Linear: x [n, in] · weightᵀ + bias, weight [out, in]. */
  linear(x: Value, weight: Weight, bias?: Weight): Value {
    return this.gemm(x, this.weight(weight), bias && this.weight(bias), { transB: true });
  }

  /** A Linear whose result is channel-major: weight [out, in] · xᵀ + bias -> [out, n], x [n, in]. */
  linearTransposed(x: Value, weight: Value, bias?: Weight): Value {
    const column = bias && this.weight(reshaped(bias, [elements(bias.shape), 1]));
    return this.#gemm(weight, x, column, { transB: true });
  }

  // Pictures, [1, channels, height, width].

  /** Odd kernels, padded so that stride 1 keeps the size. */
  conv(x: Value, { weight, bias, relu = false, ...shape }: ConvOptions): Value {
    const inputs = [x, this.weight(weight), ...(bias ? [this.weight(bias)] : [])];
    const y = this.operator('Conv', inputs, convAttributes(weight, shape));
    return relu ? this.relu(y) : y;
  }

  /** The end of a residual block: Relu of what the block adds and what goes round it. */
  residual(delta: Value, shortcut: Value): Value {
    return this.relu(this.add(delta, shortcut));
  }

  deformConv(x: Value, options: DeformConvOptions): Value {
    return this.operator('DeformConv', [x, options.weight, options.offset, NONE, options.mask], {
      kernel_shape: options.kernel,
      pads: options.pads,
      strides: [options.stride, options.stride],
      dilations: [1, 1],
      group: options.groups,
      offset_group: options.offsetGroups,
    });
  }

  /**
   * Values of x [n, channels, height, width] between its pixels, bilinear, zeros outside: [n, channels, rows, columns].
   * @param grid [n, rows, columns, (x, y)]; -1 and 1 are the edges of x
   */
  gridSample(x: Value, grid: Value): Value {
    const mode = this.#opset < 20 ? 'bilinear' : 'linear';
    return this.operator('GridSample', [x, grid], { mode, padding_mode: 'zeros', align_corners: 0 });
  }

  maxPool(x: Value, kernel: number, stride: number, padding: number): Value {
    return this.operator('MaxPool', [x], {
      kernel_shape: [kernel, kernel],
      strides: [stride, stride],
      pads: [padding, padding, padding, padding],
    });
  }

  /** Bilinear, PyTorch's align_corners=False without antialias. `size` holds all dimensions of the result. */
  resizeBilinear(x: Value, size: readonly Dim[]): Value {
    return this.operator('Resize', [x, NONE, NONE, this.dims(size)], {
      mode: 'linear',
      coordinate_transformation_mode: 'half_pixel',
    });
  }

  /** Zeros around x; `pads` holds the begin of every axis, then the end of every axis. */
  pad(x: Value, pads: readonly Dim[]): Value {
    return this.operator('Pad', [x, this.dims(pads)], { mode: 'constant' });
  }

  // Normalisation.

  layerNorm(x: Value, weight: Weight, bias: Weight, epsilon: number): Value {
    return this.operator('LayerNormalization', [x, this.weight(weight), this.weight(bias)], {
      axis: -1,
      epsilon: { float: epsilon },
    });
  }

  // Shapes.

  /** All dimensions of x as an int64 vector. */
  shape(x: Value): Value {
    return this.operator('Shape', [x], {}, 'int64');
  }

  /** Dimension `axis` of x, as a one-element vector. */
  dim(x: Value, axis: number): Value {
    return this.operator('Shape', [x], { start: axis, end: axis + 1 }, 'int64');
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
    return this.operator('Reshape', [x, this.dims(dims)]);
  }

  expand(x: Value, dims: readonly Dim[]): Value {
    return this.operator('Expand', [x, this.dims(dims)]);
  }

  transpose(x: Value, permutation: readonly number[]): Value {
    return this.operator('Transpose', [x], { perm: permutation });
  }

  squeeze(x: Value, axis: number): Value {
    return this.operator('Squeeze', [x, this.integers([axis])]);
  }

  concat(values: readonly Value[], axis: number): Value {
    return this.operator('Concat', values, { axis });
  }

  /** Pieces of the given sizes. */
  split(x: Value, sizes: readonly Dim[], axis: number): Value[] {
    return this.#ops('Split', [x, this.dims(sizes)], { axis }, x.type, sizes.length);
  }

  /** The floats 1, 2, .. up to the one-element int64 vector `count`. */
  countFromOne(count: Value): Value {
    const limit = this.add(this.cast(this.squeeze(count, 0), 'float32'), this.scalar(1));
    return this.operator('Range', [this.scalar(1), limit, this.scalar(1)]);
  }

  #gemm(
    a: Value,
    b: Value,
    c: Value | undefined,
    { transA = false, transB = false, relu = false }: GemmOptions,
  ): Value {
    const y = this.operator('Gemm', c === undefined ? [a, b] : [a, b, c], {
      transA: Number(transA),
      transB: Number(transB),
    });
    return relu ? this.relu(y) : y;
  }

  #ops(
    opType: string,
    inputs: readonly Value[],
    attributes: Record<string, Attribute>,
    type: DataType,
    count: number,
  ): Value[] {
    const name = this.unique(opType);
    const outputs = Array.from({ length: count }, (_, index) => (count === 1 ? name : `${name}.${index}`));
    this.#nodes.push({ name, opType, inputs: inputs.map((input) => input.name), outputs, attributes });
    return outputs.map((output) => ({ name: output, type }));
  }

  /** A name below the current scope that nothing has yet. */
  protected unique(name: string): string {
    const path = `${this.#path}/${name}`;
    const count = this.#names.get(path) ?? 0;
    this.#names.set(path, count + 1);
    return count === 0 ? path : `${path}_${count}`;
  }
}
