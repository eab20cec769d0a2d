/** What a graph is made of. */
import type { Opset } from './opset.ts';
import type { DataType, NodeProto, ValueInfoProto } from './proto.ts';
import type { Weight } from './weight.ts';

/** A tensor in the graph. */
export interface Value {
  readonly name: string;
  readonly type: DataType;
}

/** A dimension: known now, or a one-element int64 tensor. */
export type Dim = number | Value;

/** Values of a fixed type that are computed when the file is written. */
export interface IntegerWeight {
  shape: readonly number[];
  load(): Promise<Int8Array | Uint8Array | Int32Array>;
}

export type Initializer =
  | { name: string; dataType: 'float32'; weight: Weight }
  | { name: string; dataType: 'int8' | 'uint8' | 'int32'; weight: IntegerWeight }
  | { name: string; dataType: 'int64'; shape: readonly number[]; values: readonly number[] };

export interface Graph {
  /** The version of ONNX's operator set that its nodes are of. */
  opset: Opset;
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
  /** Whether a Relu follows. */
  relu?: boolean;
}

export interface GemmOptions {
  transA?: boolean;
  transB?: boolean;
  /** Whether a Relu follows. */
  relu?: boolean;
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
