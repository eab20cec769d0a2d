/** The opcodes of pickle protocol 2: those that PyTorch writes, and the names of those that are refused. */
import type { Machine } from './pickle-machine.ts';
import { PickledDict } from './values.ts';

type Operation = readonly [name: string, run: (machine: Machine) => void];

/** Opcodes that push a plain number: a history of losses has millions of them, and each costs 2 to 9 bytes of the pickle. */
export const NUMBERS: ReadonlySet<number> = new Set([0x4b, 0x4d, 0x4a, 0x47]);

/** The opcodes of a state dict and of what trainers keep beside it. STOP ends the loop in unpickle.ts. */
export const OPERATIONS: ReadonlyMap<number, Operation> = new Map<number, Operation>([
  // Framing
  [0x80, ['PROTO', (machine) => machine.assertProtocol(machine.uint8())]],
  [0x28, ['MARK', (machine) => machine.mark()]],
  // Scalars
  [0x4e, ['NONE', (machine) => machine.push(null)]],
  [0x88, ['NEWTRUE', (machine) => machine.push(true)]],
  [0x89, ['NEWFALSE', (machine) => machine.push(false)]],
  [0x4b, ['BININT1', (machine) => machine.push(machine.uint8())]],
  [0x4d, ['BININT2', (machine) => machine.push(machine.take(2).readUInt16LE())]],
  [0x4a, ['BININT', (machine) => machine.push(machine.take(4).readInt32LE())]],
  [0x8a, ['LONG1', (machine) => machine.push(integer(machine.take(machine.uint8())))]],
  [0x47, ['BINFLOAT', (machine) => machine.push(machine.take(8).readDoubleBE())]],
  [0x58, ['BINUNICODE', (machine) => machine.push(machine.take(machine.uint32()).toString('utf8'))]],
  // Lists and tuples
  [0x5d, ['EMPTY_LIST', (machine) => machine.push([])]],
  [0x61, ['APPEND', (machine) => machine.append([machine.pop()])]],
  [0x65, ['APPENDS', (machine) => machine.append(machine.popToMark())]],
  [0x29, ['EMPTY_TUPLE', (machine) => machine.push([])]],
  [0x85, ['TUPLE1', (machine) => machine.push(machine.popMany(1))]],
  [0x86, ['TUPLE2', (machine) => machine.push(machine.popMany(2))]],
  [0x87, ['TUPLE3', (machine) => machine.push(machine.popMany(3))]],
  [0x74, ['TUPLE', (machine) => machine.push(machine.popToMark())]],
  // Dicts
  [0x7d, ['EMPTY_DICT', (machine) => machine.push(new PickledDict())]],
  [0x73, ['SETITEM', (machine) => machine.setItems(machine.popMany(2))]],
  [0x75, ['SETITEMS', (machine) => machine.setItems(machine.popToMark())]],
  // The memo
  [0x71, ['BINPUT', (machine) => machine.put(machine.uint8())]],
  [0x72, ['LONG_BINPUT', (machine) => machine.put(machine.uint32())]],
  [0x68, ['BINGET', (machine) => machine.get(machine.uint8())]],
  [0x6a, ['LONG_BINGET', (machine) => machine.get(machine.uint32())]],
  // The stack: written for tuples that hold themselves
  [0x30, ['POP', (machine) => void machine.pop()]],
  [0x31, ['POP_MARK', (machine) => void machine.popToMark()]],
  // Objects
  [0x63, ['GLOBAL', (machine) => machine.global(machine.line(), machine.line())]],
  [0x51, ['BINPERSID', (machine) => machine.push(machine.storage(machine.pop()))]],
  [0x52, ['REDUCE', (machine) => machine.reduce()]],
  [0x81, ['NEWOBJ', (machine) => machine.reduce()]],
  [0x62, ['BUILD', (machine) => machine.build()]],
]);

export const STOP = 0x2e;

/** Opcodes that are refused, by name, so that the message can say what was met. */
export const REFUSED: ReadonlyMap<number, string> = new Map([
  [0x32, 'DUP'],
  [0x46, 'FLOAT'],
  [0x49, 'INT'],
  [0x4c, 'LONG'],
  [0x50, 'PERSID'],
  [0x53, 'STRING'],
  [0x54, 'BINSTRING'],
  [0x55, 'SHORT_BINSTRING'],
  [0x56, 'UNICODE'],
  [0x64, 'DICT'],
  [0x67, 'GET'],
  [0x69, 'INST'],
  [0x6c, 'LIST'],
  [0x6f, 'OBJ'],
  [0x70, 'PUT'],
  [0x82, 'EXT1'],
  [0x83, 'EXT2'],
  [0x84, 'EXT4'],
  [0x8b, 'LONG4'],
  [0x92, 'NEWOBJ_EX'],
  [0x93, 'STACK_GLOBAL'],
  [0x94, 'MEMOIZE'],
  [0x95, 'FRAME'],
]);

/** A little-endian two's complement integer of up to 255 bytes. */
function integer(bytes: Buffer): number | bigint {
  const unsigned = bytes.reduceRight((value, byte) => (value << 8n) | BigInt(byte), 0n);
  const value = BigInt.asIntN(bytes.length * 8, unsigned);
  return Number.isSafeInteger(Number(value)) ? Number(value) : value;
}
