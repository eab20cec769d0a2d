/**
 * The errors that a user of the nodes, the command or the library meets. Each has a stable `code` to switch
 * on, a message that says what to do, and the HTTP status that an HTTP flow answers with.
 */

/** Every error code with the HTTP status that it maps to. */
export const STATUS_CODES = {
  M2FP_NO_IMAGE: 400,
  M2FP_BAD_IMAGE: 400,
  M2FP_BAD_OPTION: 400,
  M2FP_NO_PARSING: 400,
  M2FP_UNAUTHORIZED: 401,
  M2FP_JOB_NOT_FOUND: 404,
  M2FP_NOTHING_FOUND: 404,
  M2FP_NOT_ACCEPTABLE: 406,
  M2FP_BODY_TIMEOUT: 408,
  M2FP_JOB_NOT_DONE: 409,
  M2FP_IMAGE_TOO_LARGE: 413,
  M2FP_UNSUPPORTED_FORMAT: 415,
  M2FP_KEY_REUSED: 422,
  M2FP_BUSY: 429,
  M2FP_CANCELLED: 499,
  M2FP_MODEL_NOT_FOUND: 503,
  M2FP_MODEL_INVALID: 503,
  M2FP_CHECKPOINT_INVALID: 503,
  M2FP_DOWNLOAD_FAILED: 503,
  M2FP_ENGINE_UNAVAILABLE: 503,
  M2FP_ENGINE_CRASHED: 503,
  M2FP_CAMERA_OFFLINE: 503,
  M2FP_TIMEOUT: 504,
  M2FP_NOT_KEPT: 507,
} as const;

export type M2fpErrorCode = keyof typeof STATUS_CODES;

/** What may be wrong with one picture while others are fine. */
const OF_ONE_IMAGE: ReadonlySet<M2fpErrorCode> = new Set<M2fpErrorCode>([
  'M2FP_NO_IMAGE',
  'M2FP_BAD_IMAGE',
  'M2FP_IMAGE_TOO_LARGE',
  'M2FP_UNSUPPORTED_FORMAT',
  'M2FP_ENGINE_CRASHED',
]);

/** Whether an error may be one picture's alone. */
export function isOfOneImage(code: M2fpErrorCode): boolean {
  return OF_ONE_IMAGE.has(code);
}

/** What crosses a process boundary in place of an error object. */
export interface SerializedError {
  name: string;
  code?: string;
  message: string;
  stack?: string;
}

/** An error with a stable `code` and the `statusCode` for HTTP flows. */
export class M2fpError extends Error {
  readonly code: M2fpErrorCode;
  readonly statusCode: number;

  constructor(code: M2fpErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'M2fpError';
    this.code = code;
    this.statusCode = STATUS_CODES[code];
  }
}

/** True where `code` is one of ours. */
function isCode(code: unknown): code is M2fpErrorCode {
  return typeof code === 'string' && Object.hasOwn(STATUS_CODES, code);
}

/** The plain form of any thrown value, for a message to another process. */
export function serializeError(error: unknown): SerializedError {
  if (!(error instanceof Error)) return { name: 'Error', message: String(error) };
  const { code } = error as { code?: unknown };
  return {
    name: error.name,
    message: error.message,
    ...(typeof code === 'string' && { code }),
    ...(error.stack !== undefined && { stack: error.stack }),
  };
}

/** The error that {@link serializeError} described; codes that are not ours become `fallback`, and are those of its cause. */
export function deserializeError(plain: SerializedError, fallback: M2fpErrorCode): M2fpError {
  const { code, message } = plain;
  const error = isCode(code)
    ? new M2fpError(code, message)
    : new M2fpError(fallback, message, { cause: Object.assign(new Error(message), { code }) });
  if (plain.stack !== undefined) error.stack = plain.stack;
  return error;
}

/** `error` itself where it is ours, else a new error of the code `code` that names and keeps the cause. */
export function asM2fpError(error: unknown, code: M2fpErrorCode, prefix?: string): M2fpError {
  if (error instanceof M2fpError) return error;
  const message = error instanceof Error ? error.message : String(error);
  return new M2fpError(code, prefix === undefined ? message : `${prefix}: ${message}`, { cause: error });
}
