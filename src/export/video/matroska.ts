/**
 * Raw frames with their times, as Matroska: what a pipe of bare pixels cannot tell is when each frame is shown. Only what
 * ffmpeg needs to read it (RFC 9559).
 */
import type { Ratio } from './ratio.ts';

/** Length of a master element whose end is not known yet. */
const UNKNOWN_LENGTH = Buffer.from('01ffffffffffffff', 'hex');
const NO_OFFSET = Buffer.alloc(2);
/** Keyframe, without lacing. */
const FLAGS = Buffer.from([0x80]);
const TRACK_NUMBER = 1;
/** Pixels of red, green and blue, a byte each. */
const RGB24 = Buffer.from('52474218', 'hex');

/** @param id of the element, hex */
function element(id: string, ...content: readonly Buffer[]): Buffer {
  return Buffer.concat([
    elementHead(
      id,
      content.reduce((sum, { length }) => sum + length, 0),
    ),
    ...content,
  ]);
}

function elementHead(id: string, length: number): Buffer {
  const size = uint(BigInt(length));
  size[0]! |= 1;
  return Buffer.concat([Buffer.from(id, 'hex'), size]);
}

function uint(value: bigint): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(value);
  return bytes;
}

const number = (id: string, value: number): Buffer => element(id, uint(BigInt(value)));
const text = (id: string, value: string): Buffer => element(id, Buffer.from(value, 'latin1'));

/**
 * What stands before the first frame.
 * @param size pixels
 * @param rate frames a second, which encoders go by; times are those of the frames
 */
export function matroskaHead({ width, height }: { width: number; height: number }, rate: Ratio): Buffer {
  const head = element(
    '1a45dfa3',
    number('4286', 1),
    number('42f7', 1),
    number('42f2', 4),
    number('42f3', 8),
    text('4282', 'matroska'),
    number('4287', 4),
    number('4285', 2),
  );
  // A tick is a nanosecond.
  const info = element('1549a966', number('2ad7b1', 1), text('4d80', 'm2fp'), text('5741', 'm2fp'));
  const video = element('e0', number('b0', width), number('ba', height), element('2eb524', RGB24));
  const track = element(
    'ae',
    number('d7', TRACK_NUMBER),
    number('73c5', 1),
    number('83', 1),
    number('9c', 0),
    text('86', 'V_UNCOMPRESSED'),
    number('23e383', Math.max(1, Math.round((1e9 * rate.den) / rate.num))),
    video,
  );
  return Buffer.concat([
    head,
    Buffer.from('18538067', 'hex'),
    UNKNOWN_LENGTH,
    info,
    element('1654ae6b', track),
  ]);
}

/**
 * What stands before the pixels of a frame.
 * @param time nanoseconds, 0 or more
 * @param length of the pixels, bytes
 */
export function matroskaFrameHead(time: bigint, length: number): Buffer {
  const when = element('e7', uint(time));
  const block = Buffer.concat([Buffer.from([0x80 | TRACK_NUMBER]), NO_OFFSET, FLAGS]);
  const blockHead = elementHead('a3', block.length + length);
  const cluster = elementHead('1f43b675', when.length + blockHead.length + block.length + length);
  return Buffer.concat([cluster, when, blockHead, block]);
}
