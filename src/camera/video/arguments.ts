/** What ffmpeg is told. Everything is an argument of its own: no shell reads it. */
import { M2fpError } from '../../errors.ts';
import { CameraError } from '../camera-error.ts';
import { fillIn, shownAddress } from '../secrets.ts';
import type { Credentials } from '../types.ts';

/** Protocols of streams that are asked for, none of which can read files of this machine. */
const PROTOCOLS = ['rtsp', 'rtsps', 'rtmp', 'rtmps', 'srt', 'http', 'https'];

/** What those run on, and what a playlist may lead to. */
const WHITELIST = 'pipe,tcp,udp,rtp,rtsp,rtmp,rtmps,srt,http,https,httpproxy,hls,crypto,tls';

/** A stream's address, or a file. */
export interface VideoInput {
  kind: 'stream' | 'file';
  /** With the login in it, where it has one. */
  address: string;
  /** Sent to http and https as `Authorization: Bearer`; blank: none. */
  token: string;
}

/** What ffmpeg is started with. */
export interface FfmpegCall {
  args: string[];
  /** What its standard input reads: an address with a login, which everybody would see among the arguments. */
  input: string;
}

export interface VideoOptions {
  /** Pictures a second at most; undefined: of a file all, of a stream {@link DEFAULT_RATE}. */
  rate: number | undefined;
  /** Whether a file plays at its own speed. */
  isPaced: boolean;
  /** Whether a file begins again at its end. */
  isLooped: boolean;
}

/** Of a stream that says no rate: more would be made than any model takes, at the cost of a processor. */
export const DEFAULT_RATE = 10;

/**
 * @param address of a stream, which may hold `{user}` and the like, or the path of a file
 * @throws {M2fpError} `M2FP_BAD_OPTION` for a protocol that is not one of streams
 */
export function readInput(address: string, credentials: Credentials): VideoInput {
  const text = address.trim();
  if (text === '')
    throw new M2fpError('M2FP_BAD_OPTION', 'The camera has no address: enter one, or the path of a file.');
  // `C:\video.mp4` has no "//".
  const protocol = /^([a-z][\w+.-]*):\/\//i.exec(text)?.[1]?.toLowerCase();
  if (protocol === undefined) return { kind: 'file', address: text, token: '' };
  if (!PROTOCOLS.includes(protocol)) {
    throw new M2fpError(
      'M2FP_BAD_OPTION',
      `${shownAddress(text)} is no stream: its address begins with ${PROTOCOLS.join(', ')}. A file is given by its path.`,
    );
  }
  const token = credentials.token?.trim() ?? '';
  const isWeb = /^https?$/.test(protocol);
  if (token !== '' && !isWeb && !text.includes('{token}')) {
    throw new M2fpError(
      'M2FP_BAD_OPTION',
      `A token is sent to http:// and https:// only, not to ${protocol}://: choose user and password, or write {token} where ` +
        'the address wants it.',
    );
  }
  // A line of its own would be an order to ffmpeg.
  if (!/^[\x21-\x7e]*$/.test(token)) {
    throw new M2fpError(
      'M2FP_BAD_OPTION',
      'The token has blanks, line ends or letters that no token has: copy it once more.',
    );
  }
  const filled = withLogin(fillIn(text, credentials), credentials);
  return { kind: 'stream', address: filled, token: isWeb ? token : '' };
}

/** The address with user and password, unless it has some. */
function withLogin(address: string, { user = '', password = '' }: Credentials): string {
  const [, scheme = '', rest = ''] = /^([^:]+:\/\/)(.*)$/s.exec(address) ?? [];
  const host = rest.split(/[/?#]/, 1)[0]!;
  if ((user === '' && password === '') || host.includes('@')) return address;
  return `${scheme}${encodeURIComponent(user)}:${encodeURIComponent(password)}@${rest}`;
}

/**
 * @param major of ffmpeg's version; undefined: a new one
 * @throws {CameraError} `ffmpeg-failed` where that version is too old to be given a token unseen
 */
export function callOf(input: VideoInput, options: VideoOptions, major: number | undefined): FfmpegCall {
  const { rate, isPaced, isLooped } = options;
  const isStream = input.kind === 'stream';
  const perSecond = rate ?? (isStream ? DEFAULT_RATE : undefined);
  const source = isStream
    ? ['-f', 'concat', '-safe', '0', '-protocol_whitelist', WHITELIST, '-i', 'pipe:0']
    : [
        ...(isPaced ? ['-re'] : []),
        ...(isLooped ? ['-stream_loop', '-1'] : []),
        '-i',
        `file:${input.address}`,
      ];
  return {
    args: [
      '-hide_banner',
      '-loglevel',
      'error',
      ...source,
      // Pictures alone.
      '-map',
      '0:v:0',
      '-an',
      '-sn',
      '-dn',
      ...(perSecond === undefined ? [] : ['-vf', `fps=${perSecond}`]),
      // One JPEG behind the other.
      '-c:v',
      'mjpeg',
      '-q:v',
      '3',
      '-pix_fmt',
      'yuvj420p',
      '-f',
      'image2pipe',
      'pipe:1',
    ],
    input: isStream ? listOf(input, major) : '',
  };
}

/** A list of one stream, as ffmpeg's concat reads it. RTSP goes over TCP: over UDP, pictures come damaged. */
function listOf({ address, token }: VideoInput, major = Infinity): string {
  const isRtsp = /^rtsps?:/i.test(address);
  // Before 5, a list had no options; RTSP takes this one out of the address itself.
  const isOld = major < 5;
  if (isOld && token !== '') {
    throw new CameraError(
      'ffmpeg-failed',
      `ffmpeg ${major} cannot send a token: install version 5 or newer, or take snapshots or MJPEG.`,
    );
  }
  const place = isRtsp && isOld ? `${address}${address.includes('?') ? '&' : '?'}tcp` : address;
  // Blanks and line ends have no place in an address.
  const lines = [
    'ffconcat version 1.0',
    `file ${quoted(place.replace(/\s/g, encodeURIComponent))}`,
    ...(isRtsp && !isOld ? ['option rtsp_transport tcp'] : []),
    ...(token === '' ? [] : [`option headers ${quoted(`Authorization: Bearer ${token}`)}`]),
  ];
  return `${lines.join('\n')}\n`;
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
