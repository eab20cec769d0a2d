/** What bytes are, judged by the bytes themselves and never by a file name or a declared type. */
import { M2fpError } from '../../errors.ts';

export type ImageFormat = 'jpeg' | 'png' | 'webp' | 'gif' | 'tiff' | 'avif';

const SUPPORTED = 'Supported are JPEG, PNG, WebP, GIF, TIFF and AVIF.';

/** How much is looked at: all signatures lie here, and a mangled picture shows by then. */
export const HEAD_BYTES = 4096;

/** `image=`: the one field of a form that nobody took apart. */
export const FORM_FIELD = /^\s*[A-Za-z_][\w.[\]-]{0,60}=/;

/** The first bytes of JPEG, PNG, WebP, GIF and TIFF as hex, as databases and logs write them. */
export const HEX_START =
  /^\s*(?:0x|\\x)?(?:ff[\s:,]*d8[\s:,]*ff|89[\s:,]*50[\s:,]*4e[\s:,]*47|52[\s:,]*49[\s:,]*46[\s:,]*46|47[\s:,]*49[\s:,]*46[\s:,]*38|49[\s:,]*49[\s:,]*2a[\s:,]*00|4d[\s:,]*4d[\s:,]*00[\s:,]*2a)/i;

const hasAscii = (bytes: Buffer, text: string, offset = 0): boolean =>
  bytes.length >= offset + text.length && bytes.toString('latin1', offset, offset + text.length) === text;

const startsWith = (bytes: Buffer, ...signature: number[]): boolean =>
  bytes.length >= signature.length && signature.every((value, i) => bytes[i] === value);

/** The brands of an ISO base media file (`ftyp` box), the major one first; none where it is not one. */
function brands(bytes: Buffer): string[] {
  if (!hasAscii(bytes, 'ftyp', 4) || bytes.length < 12) return [];
  const end = Math.min(bytes.readUInt32BE(0), bytes.length, 256);
  const found = [bytes.toString('latin1', 8, 12)];
  for (let at = 16; at + 4 <= end; at += 4) found.push(bytes.toString('latin1', at, at + 4));
  return found;
}

/** The format of a picture that can be decoded, null for anything else. */
export function detectFormat(bytes: Buffer): ImageFormat | null {
  if (startsWith(bytes, 0xff, 0xd8, 0xff)) return 'jpeg';
  if (startsWith(bytes, 0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a)) return 'png';
  if (hasAscii(bytes, 'RIFF') && hasAscii(bytes, 'WEBP', 8)) return 'webp';
  if (hasAscii(bytes, 'GIF87a') || hasAscii(bytes, 'GIF89a')) return 'gif';
  if (['II*\0', 'II+\0', 'MM\0*', 'MM\0+'].some((signature) => hasAscii(bytes, signature))) return 'tiff';
  if (brands(bytes).some((brand) => brand === 'avif' || brand === 'avis')) return 'avif';
  return null;
}

/** True for an AVIF that is a sequence of pictures. */
export function isSequence(bytes: Buffer): boolean {
  return brands(bytes).includes('avis');
}

/** The head of bytes as UTF-8 text, null where it is none. */
function decodeHead(bytes: Buffer): string | null {
  try {
    // A character may be cut at the head's end: `stream` takes that without an error.
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes.subarray(0, HEAD_BYTES), { stream: true });
  } catch {
    return null;
  }
}

/**
 * The media type of a picture that was decoded as UTF-8 text on its way here, null where that did not happen. Such a
 * picture is valid UTF-8, which no real one is, and has U+FFFD where bytes were not.
 */
function mangledType(bytes: Buffer): string | null {
  const text = decodeHead(bytes);
  if (text === null || !text.includes('\ufffd')) return null;
  if (text.startsWith('\ufffdPNG\r\n')) return 'image/png';
  // FF D8 FF and the code after it; a segment's length or name has a zero byte soon.
  if (text.startsWith('\ufffd\ufffd\ufffd') && text.includes('\0')) return 'image/jpeg';
  if (text.startsWith('RIFF') && text.slice(0, 16).includes('WEBP')) return 'image/webp';
  const format = detectFormat(bytes);
  return format === null ? null : `image/${format}`;
}

/** The head as text without control characters, null where it is none. */
function asText(bytes: Buffer): string | null {
  const head = bytes.subarray(0, HEAD_BYTES);
  for (const byte of head) if (byte < 0x20 && ![0x09, 0x0a, 0x0c, 0x0d, 0x1b].includes(byte)) return null;
  return decodeHead(head)?.trim() ?? null;
}

function describeText(text: string): string {
  const lower = text.toLowerCase();
  if (lower.startsWith('<!doctype html') || /^<(html|head|body)\b/.test(lower)) {
    return 'an HTML page (perhaps an error or login page of the camera or server instead of its picture)';
  }
  if (lower.startsWith('<') && lower.includes('<svg')) {
    return 'an SVG drawing, which is refused because it may point to other files; render it to a PNG first';
  }
  if (lower.startsWith('<?xml')) return 'an XML document';
  if (/^\[object \w+\]$/.test(text))
    return `${JSON.stringify(text)}, what an object becomes as text; pass the object`;
  if (/^[{[]/.test(text)) return 'JSON text; parse it first and pass the property that holds the picture';
  if (lower.startsWith('blob:')) {
    return 'an address that only the web page knows which made it; let the page send the picture itself, as an upload or a data URL';
  }
  if (/^https?:\/\/\S+$/.test(lower)) {
    return 'an address; fetch it first with an http request node that returns a binary buffer';
  }
  if (/^(rtsps?|rtmps?|rtp|udp|srt|mms|onvif|webrtc):\/\/\S+$/.test(lower)) {
    return (
      "the address of a video stream; take single pictures of it: the camera's own snapshot address with an http " +
      'request node that returns a binary buffer, or a node that runs ffmpeg'
    );
  }
  if (/^file:\/\/\S+$/.test(lower)) {
    return 'the address of a file; read it first with a read file node whose output is a single Buffer object';
  }
  if (/^[a-z][a-z0-9+.-]{1,20}:\/\/\S+$/.test(lower)) {
    return 'an address; fetch what lies there first and pass its bytes as a Buffer';
  }
  if (lower.startsWith('<buffer ')) {
    return 'the printed form of a Buffer, which leaves most of it out; pass the Buffer itself';
  }
  if (/^-?\d{1,3}(\s*,\s*-?\d{1,3}){3}/.test(text)) {
    return 'a list of numbers as text; pass the list itself, or Buffer.from(text.split(","))';
  }
  if (/^[^\n<>|]*\.(jpe?g|png|webp|gif|tiff?|avif|heic|bmp)$/.test(lower)) {
    return 'a file name; read it first with a read file node whose output is a single Buffer object';
  }
  if (/[A-Za-z0-9+/]{40}/.test(text)) {
    const other = /[^A-Za-z0-9+/_=\s-]/u.exec(text)?.[0];
    return other === undefined
      ? 'base64 that is cut off, or holds characters further on that base64 does not have'
      : `base64 that holds ${JSON.stringify(other)}, which base64 does not have`;
  }
  const start = text.length > 40 ? `${text.slice(0, 40)}...` : text;
  return `text that begins with ${JSON.stringify(start)}`;
}

/** Says what bytes that are no supported picture are, as part of a sentence. */
function describeContent(bytes: Buffer): string {
  if (hasAscii(bytes, '%PDF')) return 'a PDF document';
  if (hasAscii(bytes, 'BM') && bytes.length >= 26 && bytes.readUInt16LE(8) === 0) return 'a BMP picture';
  if (hasAscii(bytes, '8BPS')) return 'a Photoshop file';
  if (startsWith(bytes, 0, 0, 1, 0)) return 'an icon (ICO)';
  if (startsWith(bytes, 0xff, 0x0a) || hasAscii(bytes, 'JXL ', 4)) return 'a JPEG XL picture';
  if (hasAscii(bytes, 'jP  ', 4) || startsWith(bytes, 0xff, 0x4f, 0xff, 0x51)) return 'a JPEG 2000 picture';
  const found = brands(bytes);
  if (found.some((brand) => /^(he[iv][cxms]|hevx|mif1|msf1)$/.test(brand))) {
    return 'a HEIC picture; convert it to JPEG first (iPhone: Settings, Camera, Formats, Most Compatible)';
  }
  if (found.length > 0 || startsWith(bytes, 0x1a, 0x45, 0xdf, 0xa3) || hasAscii(bytes, 'AVI ', 8)) {
    return 'a video; take a single frame of it';
  }
  if (startsWith(bytes, 0x50, 0x4b, 3, 4)) return 'a ZIP archive';
  if (startsWith(bytes, 0x1f, 0x8b))
    return 'gzip-compressed data; unpack it first, or send the picture without Content-Encoding: gzip';
  if (hasAscii(bytes, '--')) {
    const parts = bytes.toString('latin1', 0, HEAD_BYTES).toLowerCase();
    if (parts.includes('content-disposition:')) {
      return 'a multipart body; tick "Accept file uploads" in the http in node and pass msg.req.files';
    }
    if (parts.includes('content-type: image/')) {
      return "a stream of pictures (MJPEG); use the camera's address of a single picture (snapshot)";
    }
  }
  const text = asText(bytes);
  if (text !== null) return describeText(text);
  return `unknown data that begins with the bytes ${bytes.subarray(0, 8).toString('hex')}`;
}

/** The M2FP_UNSUPPORTED_FORMAT that says what bytes are, or what happened to them, in place of a picture. */
export function unsupported(bytes: Buffer): M2fpError {
  const mangled = mangledType(bytes);
  const message =
    mangled === null
      ? `Unsupported format: this is ${describeContent(bytes)}. ${SUPPORTED}`
      : 'The picture was decoded as text on the way, which destroyed it; ' +
        `send it with Content-Type: ${mangled}, or let the node that receives it output a Buffer ` +
        '(http request: "Return: a binary buffer").';
  return new M2fpError('M2FP_UNSUPPORTED_FORMAT', message);
}

/**
 * The format of an encoded picture.
 *
 * @throws M2FP_UNSUPPORTED_FORMAT see {@link unsupported}
 */
export function requireFormat(bytes: Buffer): ImageFormat {
  const format = detectFormat(bytes);
  if (format === null || mangledType(bytes) !== null) throw unsupported(bytes);
  return format;
}

/** The base64 of FF D8 FF, 89 PNG, RIFF, GIF8, II*\0, MM\0* and of an ftyp box, or a data URL, also escaped (%2F). */
const ENCODED_START =
  /^\s*(?:data(?::|%3A)|(?:\/|%2F)9j(?:\/|%2F)|_9j_|iVBORw0KGgo|UklGR|R0lGOD|SUkqA|TU0AK|AAAA..Z0eXB)/;

/** True where bytes are text that looks like a data URL, or the base64 or hex form of a picture. */
export function isEncodedText(bytes: Buffer): boolean {
  const head = bytes.toString('latin1', 0, 128);
  return ENCODED_START.test(head.replace(FORM_FIELD, '')) || ENCODED_START.test(head) || HEX_START.test(head);
}
