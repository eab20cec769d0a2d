/** Pictures made by hand, byte by byte, where the test has to know every pixel. */
import assert from 'node:assert/strict';
import { crc32, deflateSync } from 'node:zlib';
import { M2fpError, type M2fpErrorCode } from '../../src/errors.ts';
import type { RawImage } from '../../src/image/types.ts';

function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const head = Buffer.alloc(4);
  head.writeUInt32BE(data.length);
  const tail = Buffer.alloc(4);
  tail.writeUInt32BE(crc32(body));
  return Buffer.concat([head, body, tail]);
}

export interface PngParts {
  width: number;
  height: number;
  /** 8 or 16 bits a channel. */
  depth: 8 | 16;
  /** 0 greyscale, 2 RGB, 3 palette, 4 greyscale and alpha, 6 RGB and alpha. */
  colorType: 0 | 2 | 3 | 4 | 6;
  /** The rows, one after the other, unfiltered. */
  pixels: Buffer;
  /** Chunks between IHDR and IDAT. */
  chunks?: Record<string, Buffer>;
}

/** A PNG (ISO/IEC 15948) that holds exactly these pixels. `pixels` may be short: the picture is truncated then. */
export function png({ width, height, depth, colorType, pixels, chunks = {} }: PngParts): Buffer {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header[8] = depth;
  header[9] = colorType;
  const samples = { 0: 1, 2: 3, 3: 1, 4: 2, 6: 4 }[colorType];
  const rowBytes = (width * samples * depth) / 8;
  const rows: Buffer[] = [];
  for (let at = 0; at < pixels.length; at += rowBytes) {
    rows.push(Buffer.from([0]), pixels.subarray(at, at + rowBytes));
  }
  return Buffer.concat([
    Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]),
    chunk('IHDR', header),
    ...Object.entries(chunks).map(([type, data]) => chunk(type, data)),
    chunk('IDAT', deflateSync(Buffer.concat(rows))),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

/** Noise that another program can make as well: the high bytes of x -> 1103515245 x + 12345 (mod 2^32). */
export function noise(length: number, seed: number): Buffer {
  const bytes = Buffer.alloc(length);
  let x = seed;
  for (let i = 0; i < length; i++) {
    x = (Math.imul(x, 1103515245) + 12345) >>> 0;
    bytes[i] = x >>> 24;
  }
  return bytes;
}

/** An RGB picture of {@link noise}, its seed being width * 65536 + height. */
export function noiseImage(width: number, height: number): RawImage {
  return { width, height, channels: 3, data: noise(width * height * 3, width * 65536 + height) };
}

/** An 8-bit RGB PNG of {@link noise}. */
export function noisePng(width: number, height: number): Buffer {
  return png({ width, height, depth: 8, colorType: 2, pixels: noiseImage(width, height).data });
}

/**
 * 24 x 18 pixels: red 10 x, green 13 y, blue x y (mod 256). Written by Pillow 12.3 (quality 60, 4:2:0), which reads
 * pixels of SHA-256 {@link JPEG_PIXELS} from it.
 */
export const JPEG = Buffer.from(
  '/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAA0JCgsKCA0LCgsODg0PEyAVExISEyccHhcgLikxMC4pLSwzOko+MzZGNywtQFdBRkxOUlNSMj5aYVpQ' +
    'YEpRUk//2wBDAQ4ODhMREyYVFSZPNS01T09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT0//wAARCAASABgD' +
    'ASIAAhEBAxEB/8QAGAABAQEBAQAAAAAAAAAAAAAAAAUGAwT/xAAfEAABAwQDAQAAAAAAAAAAAAAAAQQhAwURIgISMVH/xAAZAQACAwEAAAAAAAAA' +
    'AAAAAAADBgIEBQf/xAAhEQACAQMDBQAAAAAAAAAAAAAAAgEDBAURMkESEyFxsf/aAAwDAQACEQMRAD8AxFBhnEFGhb/NSu2YZxBVbW/zUq0p7oO0' +
    'yGnJDoW3zUGsptONNUTrnl8BN2tUbpdvPqZ+QMlHINKnkaokQhYaokQgAHHcHO7U7NUSIQAGVb7Bpp7T/9k=',
  'base64',
);
export const JPEG_PIXELS = 'd6a16672cc4ddbef1d2f2a0288c914d598b2bee07341244c70119d3810d7bcd6';

/** For `assert.throws` and `assert.rejects`: an M2fpError of this code whose message matches all patterns. */
export function failure(code: M2fpErrorCode, ...patterns: RegExp[]): (error: unknown) => true {
  return (error) => {
    assert.ok(error instanceof M2fpError, `not an M2fpError: ${String(error)}`);
    assert.equal(error.code, code, error.message);
    for (const pattern of patterns) assert.match(error.message, pattern);
    return true;
  };
}
