/** Finds whole JPEGs in a stream of bytes. */
import { CameraError } from './camera-error.ts';

/** Bytes between two pictures: headers of a part, and garbage. More is no stream of pictures. */
const MAX_BETWEEN = 256 * 1024;

const SOI = Buffer.from([0xff, 0xd8, 0xff]);
const FIRST_CAPACITY = 256 * 1024;

/**
 * Takes the JPEGs out of a stream by their own structure: segments by their lengths, then coded data up to the next marker. What
 * stands between (boundaries and headers of multipart, right or wrong lengths, garbage) is passed over, and so is a
 * picture that was cut off: boundaries and lengths are what cameras get wrong.
 */
export class JpegSplitter {
  readonly #maxBytes: number;
  #bytes = Buffer.allocUnsafe(FIRST_CAPACITY);
  #length = 0;
  /** Looked at so far. */
  #at = 0;
  /** Whether a picture begins at byte 0. */
  #inPicture = false;
  /** Whether `#at` lies in coded data, rather than at a marker. */
  #inData = false;
  #between = 0;

  /** @param maxBytes of one picture */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /**
   * The pictures that are whole now, each in memory of its own.
   * @throws {CameraError} `too-large` for a picture over the limit, `no-picture` where none begins for long
   */
  push(chunk: Buffer): Buffer[] {
    this.#append(chunk);
    const found: Buffer[] = [];
    for (;;) {
      if (!this.#inPicture && !this.#findStart()) break;
      const end = this.#findEnd();
      if (end === 'more') break;
      if (end === 'broken') continue;
      found.push(Buffer.from(this.#bytes.subarray(0, end)));
      this.#between = 0;
      this.#drop(end);
    }
    if (this.#inPicture && this.#length > this.#maxBytes) {
      throw new CameraError(
        'too-large',
        `A picture of the camera has more than ${Math.floor(this.#maxBytes / 2 ** 20)} MiB: raise the limit, or let the ` +
          'camera send smaller ones.',
      );
    }
    return found;
  }

  /** Whether bytes of a picture have come that is not whole yet. */
  get isInside(): boolean {
    return this.#inPicture;
  }

  #append(chunk: Buffer): void {
    const needed = this.#length + chunk.length;
    if (needed > this.#bytes.length) {
      const larger = Buffer.allocUnsafe(Math.max(needed, this.#bytes.length * 2));
      this.#bytes.copy(larger, 0, 0, this.#length);
      this.#bytes = larger;
    }
    chunk.copy(this.#bytes, this.#length);
    this.#length = needed;
  }

  /** Leaves out what stands before `end`; what follows is not in a picture. */
  #drop(end: number): void {
    this.#bytes.copyWithin(0, end, this.#length);
    this.#length -= end;
    this.#at = 0;
    this.#inPicture = false;
    this.#inData = false;
  }

  #findStart(): boolean {
    const start = this.#bytes.subarray(0, this.#length).indexOf(SOI);
    // The first two of its bytes may have come.
    const before = start < 0 ? Math.max(0, this.#length - 2) : start;
    this.#between += before;
    this.#drop(before);
    if (this.#between > MAX_BETWEEN) {
      throw new CameraError(
        'no-picture',
        'What the camera sends is no JPEG: choose another kind or address.',
      );
    }
    if (start < 0) return false;
    this.#inPicture = true;
    this.#at = 2;
    return true;
  }

  /** Where the picture ends; `broken`: it does not go on as a picture does, and what follows is looked through for another. */
  #findEnd(): number | 'more' | 'broken' {
    for (;;) {
      if (this.#inData) {
        const marker = this.#bytes.subarray(0, this.#length).indexOf(0xff, this.#at);
        this.#at = marker < 0 ? this.#length : marker;
      }
      if (this.#at + 1 >= this.#length) return 'more';
      const code = this.#bytes[this.#at + 1]!;
      if (this.#inData && (code === 0 || (code >= 0xd0 && code <= 0xd7))) {
        this.#at += 2;
      } else if (code === 0xff && this.#bytes[this.#at] === 0xff) {
        this.#at += 1;
      } else if (this.#bytes[this.#at] !== 0xff || code === 0xd8 || code < 0xc0) {
        return this.#broken();
      } else if (code === 0xd9) {
        return this.#at + 2;
      } else {
        if (this.#at + 4 > this.#length) return 'more';
        const next = this.#at + 2 + this.#bytes.readUInt16BE(this.#at + 2);
        if (next > this.#length) return 'more';
        this.#inData = code === 0xda;
        this.#at = next;
      }
    }
  }

  #broken(): 'broken' {
    // Where a new picture begins, it begins here: nothing of the old one is looked at again.
    const from = this.#bytes[this.#at + 1] === 0xd8 ? this.#at : 2;
    this.#between += from;
    this.#drop(from);
    return 'broken';
  }
}

/** Whether `image` is a JPEG that does not go on to its end. */
export function isCutOff(image: Buffer): boolean {
  if (!image.subarray(0, 3).equals(SOI)) return false;
  return new JpegSplitter(Infinity).push(image).length === 0;
}
