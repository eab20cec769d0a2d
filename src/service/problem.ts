/** Errors for HTTP clients: RFC 9457, in words for whoever sent the request rather than for the service's owner. */
import { refusalIn } from '../engine/remote/redis/address.ts';
import { type M2fpErrorCode, STATUS_CODES } from '../errors.ts';

/** What an HTTP client is told, as `application/problem+json`. */
export interface Problem {
  /** The page about errors, at this one. */
  type: string;
  title: string;
  status: number;
  /** What was wrong with this request, and what to do. */
  detail: string;
  /** One of ours, or `INTERNAL` for what is a fault of the service. */
  code: M2fpErrorCode | 'INTERNAL';
  /** Seconds after which the same request may succeed. */
  retryAfter?: number;
}

/** An error as it comes: thrown, or as a Catch node tells it. */
export interface ErrorLike {
  code?: unknown;
  message?: unknown;
}

const PAGE = 'https://github.com/m2fp-node-red/node-red-human-parsing/blob/main/docs/http.md';

interface Text {
  title: string;
  /** What to do, where the error's own words are not for clients. */
  advice: string;
  /** Seconds; where nothing tells better. */
  retryAfter?: number;
}

const TRY_LATER = 'The service cannot answer at the moment. Try again later.';

const TEXTS: Readonly<Record<M2fpErrorCode | 'INTERNAL', Text>> = {
  M2FP_NO_IMAGE: {
    title: 'One picture wanted',
    advice: 'The request holds no picture.',
  },
  M2FP_BAD_IMAGE: {
    title: 'Damaged picture',
    advice: 'The picture is damaged or cut off: save it again with another program, or send it again.',
  },
  M2FP_BAD_OPTION: {
    title: 'Wrong option',
    advice: 'An option of the request is not allowed or has a wrong value.',
  },
  M2FP_NO_PARSING: { title: 'No result', advice: 'The service has no result to answer with.' },
  M2FP_UNAUTHORIZED: {
    title: 'API key wanted',
    advice: 'Send your API key as "Authorization: Bearer KEY" or as "X-API-Key: KEY".',
  },
  M2FP_NOTHING_FOUND: {
    title: 'Nothing found',
    advice: 'The picture holds nothing of what was asked for.',
  },
  M2FP_JOB_NOT_FOUND: {
    title: 'No such job',
    advice: 'There is no job of this name: it was never there, or its result has expired.',
  },
  M2FP_JOB_NOT_DONE: {
    title: 'Not done yet',
    advice: 'The job is not done yet. Ask again later.',
    retryAfter: 1,
  },
  M2FP_NOT_KEPT: {
    title: 'Not kept',
    advice: 'The job could not be kept, so it will not be done. Send it again later.',
    retryAfter: 10,
  },
  M2FP_NOT_ACCEPTABLE: {
    title: 'No such answer',
    advice: 'The service has no answer of a type that the client accepts.',
  },
  M2FP_BODY_TIMEOUT: {
    title: 'Sent too slowly',
    advice:
      'The body of the request came too slowly. Send it again, over a better connection, or send a smaller picture.',
    retryAfter: 1,
  },
  M2FP_IMAGE_TOO_LARGE: {
    title: 'Picture too large',
    advice: 'The picture is too large: send a smaller one.',
  },
  M2FP_UNSUPPORTED_FORMAT: {
    title: 'No picture that can be read',
    advice: 'Send a JPEG, PNG, WebP, GIF, TIFF or AVIF, as it is.',
  },
  M2FP_KEY_REUSED: {
    title: 'Key used for another job',
    advice: 'The Idempotency-Key was sent with another request before: send a new one with each new request.',
  },
  M2FP_BUSY: {
    title: 'Too many requests',
    advice: 'Too many pictures are waiting. Try again in a moment.',
    retryAfter: 1,
  },
  M2FP_CANCELLED: {
    title: 'Cancelled',
    advice: 'The request was cancelled before its answer was ready. Send it again.',
    retryAfter: 1,
  },
  M2FP_MODEL_NOT_FOUND: { title: 'No model', advice: TRY_LATER, retryAfter: 60 },
  M2FP_MODEL_INVALID: { title: 'No model', advice: TRY_LATER, retryAfter: 60 },
  M2FP_CHECKPOINT_INVALID: { title: 'No model', advice: TRY_LATER, retryAfter: 60 },
  M2FP_DOWNLOAD_FAILED: { title: 'No model yet', advice: TRY_LATER, retryAfter: 60 },
  M2FP_ENGINE_UNAVAILABLE: { title: 'Not running', advice: TRY_LATER, retryAfter: 10 },
  M2FP_ENGINE_CRASHED: {
    title: 'Interrupted',
    advice: 'The service was interrupted while it looked at the picture. Send it again.',
    retryAfter: 2,
  },
  M2FP_CAMERA_OFFLINE: { title: 'No camera', advice: TRY_LATER, retryAfter: 5 },
  M2FP_TIMEOUT: {
    title: 'Too slow',
    advice: 'The picture took too long, or waited too long. Try again later, or send a smaller one.',
  },
  INTERNAL: { title: 'Fault of the service', advice: 'The service failed at this request. Tell its owner.' },
};

/** Errors that tell of what the client sent. */
const OWN_WORDS: ReadonlySet<string> = new Set([
  'M2FP_NO_IMAGE',
  'M2FP_BAD_IMAGE',
  'M2FP_BAD_OPTION',
  'M2FP_UNAUTHORIZED',
  'M2FP_NOTHING_FOUND',
  'M2FP_NOT_ACCEPTABLE',
  'M2FP_JOB_NOT_FOUND',
  'M2FP_JOB_NOT_DONE',
  'M2FP_BODY_TIMEOUT',
  'M2FP_IMAGE_TOO_LARGE',
  'M2FP_UNSUPPORTED_FORMAT',
  'M2FP_KEY_REUSED',
  'M2FP_BUSY',
]);

/** What speaks of flows, of nodes and of files of the server. */
const NOT_FOR_CLIENTS =
  /\bmsg\.|\bnodes?\b|\bflows?\b|\bfunction\b|\bform's\b|\bsettings?\b|\bmaxQueue\b|(?:^|[\s"'(=])(?:\/|[A-Z]:\\|\\\\)[^\s"']+|\bfile:\/\//i;

const HOW_TO_SEND =
  'Send it as the body of the request, as an upload of a form (multipart/form-data), or as base64 or data URL, as text ' +
  'or in JSON: {"image": "..."}.';

function codeOf(error: ErrorLike): M2fpErrorCode | 'INTERNAL' {
  const { code } = error;
  // A flow without a result is a fault of the flow.
  if (code === 'M2FP_NO_PARSING' || typeof code !== 'string' || !Object.hasOwn(STATUS_CODES, code))
    return 'INTERNAL';
  return code as M2fpErrorCode;
}

function detailOf(code: string, message: unknown, advice: string): string {
  // Catch nodes have the error's name before it.
  let text = typeof message === 'string' ? message.replace(/^M2fpError: /, '') : '';
  if (code === 'M2FP_NO_IMAGE') {
    // The list of what a message may hold.
    text = text.replace(/ ?Accepted are:[^]*$/, '').trim();
    if (!OWN_WORDS.has(code) || text === '' || NOT_FOR_CLIENTS.test(text)) text = advice;
    return /\bsend\b/i.test(text) ? text : `${text} ${HOW_TO_SEND}`;
  }
  // Where Redis is, is nobody's business; what it says, whoever runs the service wants to hear.
  const refusal = code === 'M2FP_ENGINE_UNAVAILABLE' ? refusalIn(text) : undefined;
  if (refusal !== undefined) {
    return `The service cannot answer at the moment: its Redis takes no changes (${refusal}). Try again later.`;
  }
  if (!OWN_WORDS.has(code) || text === '') return advice;
  if (code === 'M2FP_UNSUPPORTED_FORMAT') return foundInstead(text, advice);
  if (!NOT_FOR_CLIENTS.test(text)) return text;
  return code === 'M2FP_BAD_OPTION' ? (withoutGiven(text) ?? advice) : advice;
}

/** What came in place of a picture, without what somebody does about it who has nodes, and without the words of a text. */
function foundInstead(text: string, advice: string): string {
  if (/^The picture was decoded as (?:text|a form) /.test(text)) {
    return (
      'The picture was taken for text on its way, which destroyed it: in a form, send it with a filename or a type such as ' +
      'image/jpeg; as the body of a request, with Content-Type: image/jpeg.'
    );
  }
  if (!NOT_FOR_CLIENTS.test(text)) return text;
  if (text.startsWith('Unsupported format: this is text that begins with'))
    return `What came is text, and neither a picture nor base64 of one. ${advice}`;
  const [, found] = /^Unsupported format: this is ([^;]+)/.exec(text) ?? [];
  return found === undefined || NOT_FOR_CLIENTS.test(found)
    ? advice
    : `What came is ${found}, and no picture. ${advice}`;
}

/**
 * What is wrong with an option, without what was given for it: a client may have sent such words, and still has to learn which
 * option it is. Undefined where the option's name is not known.
 */
function withoutGiven(text: string): string | undefined {
  const [, unknown, others] = /^There is no option "(.*)"(; allowed: .*)$/s.exec(text) ?? [];
  if (unknown !== undefined && !NOT_FOR_CLIENTS.test(others!)) return text;
  const [, name, allowed] = /^Option "([\w.]+)" is .*(; allowed: .*)$/s.exec(text) ?? [];
  if (name === undefined) return undefined;
  return `Option "${name}" has a wrong value${NOT_FOR_CLIENTS.test(allowed!) ? '.' : allowed}`;
}

/**
 * What to tell an HTTP client of an error.
 * @param retryAfter seconds, where more is known than the code says
 */
export function problemOf(error: ErrorLike, retryAfter?: number): Problem {
  const code = codeOf(error);
  const { title, advice, retryAfter: usual } = TEXTS[code];
  const wait = usual === undefined ? undefined : (retryAfter ?? usual);
  return {
    type: `${PAGE}#${code.toLowerCase()}`,
    title,
    status: code === 'INTERNAL' ? 500 : STATUS_CODES[code],
    code,
    detail: detailOf(code, error.message, advice),
    ...(wait !== undefined && { retryAfter: wait }),
  };
}

/** Whether the same request may succeed later, so that `Retry-After` tells when. */
export const passes = (code: M2fpErrorCode | 'INTERNAL'): boolean => TEXTS[code].retryAfter !== undefined;

/** What an error of this code is, in two or three words. */
export const titleOf = (code: M2fpErrorCode | 'INTERNAL'): string => TEXTS[code].title;
