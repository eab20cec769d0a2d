/**
 * ONNX messages in protobuf's wire format. Field numbers and enumeration values are those of `onnx.proto`
 * (https://github.com/onnx/onnx/blob/main/onnx/onnx.proto); only the fields that we write are here.
 */
import protobuf from 'protobufjs/minimal.js';

/** `TensorProto.DataType`. */
export const DATA_TYPES = {
  float32: 1,
  uint8: 2,
  int8: 3,
  int32: 6,
  int64: 7,
  bool: 9,
  float16: 10,
} as const;
export type DataType = keyof typeof DATA_TYPES;

export type Attribute = number | readonly number[] | string | { float: number };

export interface NodeProto {
  name: string;
  opType: string;
  inputs: readonly string[];
  outputs: readonly string[];
  /** Numbers are INT attributes, arrays INTS, `{ float }` FLOAT. */
  attributes: Readonly<Record<string, Attribute>>;
}

export interface TensorProto {
  name: string;
  dataType: DataType;
  dims: readonly number[];
  /** The values, little-endian, or where they lie in a file beside the model. */
  data: Uint8Array | { location: string; offset: number; length: number };
}

export interface ValueInfoProto {
  name: string;
  dataType: DataType;
  /** Names are symbolic (dynamic) dimensions. */
  dims: readonly (number | string)[];
}

export interface ModelProto {
  irVersion: number;
  opset: number;
  producer: { name: string; version: string };
  graph: {
    name: string;
    nodes: readonly NodeProto[];
    initializers: readonly TensorProto[];
    inputs: readonly ValueInfoProto[];
    outputs: readonly ValueInfoProto[];
  };
}

type Writer = protobuf.Writer;
const VARINT = 0;
const BYTES = 2;
const FIXED32 = 5;

const tag = (field: number, wireType: number) => (field << 3) | wireType;

function int(writer: Writer, field: number, value: number): void {
  writer.uint32(tag(field, VARINT)).int64(value);
}

function text(writer: Writer, field: number, value: string): void {
  writer.uint32(tag(field, BYTES)).string(value);
}

function message(writer: Writer, field: number, write: () => void): void {
  writer.uint32(tag(field, BYTES)).fork();
  write();
  writer.ldelim();
}

function stringEntry(writer: Writer, field: number, key: string, value: string): void {
  message(writer, field, () => {
    text(writer, 1, key);
    text(writer, 2, value);
  });
}

/** `AttributeProto.AttributeType`. */
const ATTRIBUTE_TYPES = { FLOAT: 1, INT: 2, STRING: 3, INTS: 7 };

function attribute(writer: Writer, name: string, value: Attribute): void {
  message(writer, 5, () => {
    text(writer, 1, name);
    if (typeof value === 'number') {
      int(writer, 3, value);
      int(writer, 20, ATTRIBUTE_TYPES.INT);
    } else if (typeof value === 'string') {
      text(writer, 4, value);
      int(writer, 20, ATTRIBUTE_TYPES.STRING);
    } else if ('float' in value) {
      writer.uint32(tag(2, FIXED32)).float(value.float);
      int(writer, 20, ATTRIBUTE_TYPES.FLOAT);
    } else {
      for (const item of value) int(writer, 8, item);
      int(writer, 20, ATTRIBUTE_TYPES.INTS);
    }
  });
}

function node(writer: Writer, value: NodeProto): void {
  message(writer, 1, () => {
    for (const input of value.inputs) text(writer, 1, input);
    for (const output of value.outputs) text(writer, 2, output);
    text(writer, 3, value.name);
    text(writer, 4, value.opType);
    for (const [name, item] of Object.entries(value.attributes)) attribute(writer, name, item);
  });
}

const DATA_LOCATION_EXTERNAL = 1;

function tensor(writer: Writer, field: number, value: TensorProto): void {
  message(writer, field, () => {
    for (const dim of value.dims) int(writer, 1, dim);
    int(writer, 2, DATA_TYPES[value.dataType]);
    text(writer, 8, value.name);
    if (value.data instanceof Uint8Array) {
      writer.uint32(tag(9, BYTES)).bytes(value.data);
      return;
    }
    stringEntry(writer, 13, 'location', value.data.location);
    stringEntry(writer, 13, 'offset', String(value.data.offset));
    stringEntry(writer, 13, 'length', String(value.data.length));
    int(writer, 14, DATA_LOCATION_EXTERNAL);
  });
}

function valueInfo(writer: Writer, field: number, value: ValueInfoProto): void {
  message(writer, field, () => {
    text(writer, 1, value.name);
    message(writer, 2, () => {
      message(writer, 1, () => {
        int(writer, 1, DATA_TYPES[value.dataType]);
        message(writer, 2, () => {
          for (const dim of value.dims) {
            message(writer, 1, () => {
              if (typeof dim === 'number') int(writer, 1, dim);
              else text(writer, 2, dim);
            });
          }
        });
      });
    });
  });
}

/** The bytes of an `.onnx` file. */
export function encodeModel(model: ModelProto): Uint8Array {
  const writer = protobuf.Writer.create();
  int(writer, 1, model.irVersion);
  text(writer, 2, model.producer.name);
  text(writer, 3, model.producer.version);
  message(writer, 7, () => {
    for (const item of model.graph.nodes) node(writer, item);
    text(writer, 2, model.graph.name);
    for (const item of model.graph.initializers) tensor(writer, 5, item);
    for (const item of model.graph.inputs) valueInfo(writer, 11, item);
    for (const item of model.graph.outputs) valueInfo(writer, 12, item);
  });
  message(writer, 8, () => {
    text(writer, 1, '');
    int(writer, 2, model.opset);
  });
  return writer.finish();
}
