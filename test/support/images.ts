/** Pictures that people send, and what others send in their place. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { root } from './installed-package.ts';

/** A bundled sample: 448 x 448, two people, PNG. */
export const twoPeople: Buffer = readFileSync(join(root, 'models', 'demo', 'samples', 'two-people.png'));

/** The first bytes of a PNG that says it is `width` x `height`, and nothing behind them. */
export function pngHeader(width: number, height: number): Buffer {
  const header = Buffer.from('IHDR\0\0\0\0\0\0\0\0\x08\x02\0\0\0', 'latin1');
  header.writeUInt32BE(width, 4);
  header.writeUInt32BE(height, 8);
  const length = Buffer.from([0, 0, 0, 13]);
  const checksum = Buffer.alloc(4);
  checksum.writeUInt32BE(crc32(header));
  return Buffer.concat([Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'), length, header, checksum]);
}

/** A request with a picture as the form of a page sends it; where it redirects to is not followed. */
export function upload(image: Buffer): RequestInit {
  const body = new FormData();
  body.append('picture', new Blob([new Uint8Array(image)]), 'picture.png');
  return { body, redirect: 'manual' };
}
