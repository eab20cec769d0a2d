/**
 * Reads the bytes of an `.onnx` file: the messages and fields that `proto.ts` writes. What else a file may hold is
 * passed over.
 */
import protobuf from 'protobufjs/minimal.js';
import { type Attribute, DATA_TYPES, type DataType, type NodeProto, type TensorProto } from './proto.ts';

export interface DecodedGraph {
  nodes: NodeProto[];
  initializers: TensorProto[];
}

type Reader = protobuf.Reader;
/** What to do with a field; without one it is passed over. */
type Fields = Partial<Record<number, (reader: Reader) => void>>;

/** Reads one message, `length` bytes of it or all that is left. */
function read(reader: Reader, fields: Fields, length = reader.len - reader.pos): void {
  const end = reader.pos + length;
  if (end > reader.len) throw new RangeError('a message is cut off');
  while (reader.pos < end) {
    const tag = reader.uint32();
    const field = fields[tag >>> 3];
    if (field === undefined) reader.skipType(tag & 7);
    else field(reader);
  }
}

/** Reads a message that stands in a field. */
function message(reader: Reader, fields: Fields): void {
  read(reader, fields, reader.uint32());
}

/** Numbers of up to 53 bits, which all of ours are. */
const int = (reader: Reader): number => Number(reader.int64());

function entry(reader: Reader): [key: string, value: string] {
  let [key, value] = ['', ''];
  message(reader, { 1: (r) => (key = r.string()), 2: (r) => (value = r.string()) });
  return [key, value];
}

function attribute(reader: Reader): [name: string, value: Attribute] {
  let name = '';
  let value: Attribute | undefined;
  const integers: number[] = [];
  message(reader, {
    1: (r) => (name = r.string()),
    2: (r) => (value = { float: r.float() }),
    3: (r) => (value = int(r)),
    4: (r) => (value = r.string()),
    8: (r) => integers.push(int(r)),
  });
  return [name, value ?? integers];
}

function node(reader: Reader): NodeProto {
  const inputs: string[] = [];
  const outputs: string[] = [];
  const attributes: Record<string, Attribute> = {};
  let [name, opType] = ['', ''];
  message(reader, {
    1: (r) => inputs.push(r.string()),
    2: (r) => outputs.push(r.string()),
    3: (r) => (name = r.string()),
    4: (r) => (opType = r.string()),
    5: (r) => {
      const [key, value] = attribute(r);
      attributes[key] = value;
    },
  });
  return { name, opType, inputs, outputs, attributes };
}

const typeOf = (code: number): DataType => {
  const found = Object.entries(DATA_TYPES).find(([, value]) => value === code);
  if (found === undefined) throw new RangeError(`a tensor has the type ${code}`);
  return found[0] as DataType;
};

function tensor(reader: Reader): TensorProto {
  const dims: number[] = [];
  const external = new Map<string, string>();
  let name = '';
  let dataType: DataType = 'float32';
  let data: Uint8Array = new Uint8Array();
  message(reader, {
    1: (r) => dims.push(int(r)),
    2: (r) => (dataType = typeOf(r.int32())),
    8: (r) => (name = r.string()),
    9: (r) => (data = r.bytes()),
    13: (r) => external.set(...entry(r)),
  });
  const location = external.get('location');
  if (location === undefined) return { name, dataType, dims, data };
  const [offset, length] = [Number(external.get('offset') ?? 0), Number(external.get('length'))];
  return { name, dataType, dims, data: { location, offset, length } };
}

/**
 * The graph of an `.onnx` file.
 * @throws RangeError where the bytes are no such file
 */
export function decodeModel(bytes: Uint8Array): DecodedGraph {
  const graph: DecodedGraph = { nodes: [], initializers: [] };
  read(protobuf.Reader.create(bytes), {
    7: (reader) =>
      message(reader, {
        1: (r) => graph.nodes.push(node(r)),
        5: (r) => graph.initializers.push(tensor(r)),
      }),
  });
  return graph;
}
