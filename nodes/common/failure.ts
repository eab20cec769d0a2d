/** What the nodes read from a thrown value. */
import { type M2fpErrorCode, STATUS_CODES } from '../../src/errors.ts';

/** HTTP status for what is none of our errors: a fault in the program, not in the message. */
export const INTERNAL_ERROR = 500;

/** The error's code where it is one of ours, also of one in its plain form, as an engine's state has it. */
export function codeOf(error: unknown): M2fpErrorCode | undefined {
  const code = (error as { code?: unknown } | null | undefined)?.code;
  return typeof code === 'string' && Object.hasOwn(STATUS_CODES, code) ? (code as M2fpErrorCode) : undefined;
}

const setupFaults = new WeakSet<object>();

/** Notes that an error is about what the flow's owner has set: whoever sends another message meets it again. Returns it. */
export function asSetupFault<Thrown>(error: Thrown): Thrown {
  if (typeof error === 'object' && error !== null) setupFaults.add(error);
  return error;
}

/** Whether {@link asSetupFault} has noted that: for an HTTP client, it is a fault of the service. */
export function isSetupFault(error: unknown): boolean {
  return typeof error === 'object' && error !== null && setupFaults.has(error);
}

/** What `read` returns; what it throws is about what the flow's owner has set. */
export function fromSetup<Value>(read: () => Value): Value {
  try {
    return read();
  } catch (error) {
    throw asSetupFault(error);
  }
}

/** The status that an HTTP flow answers with. */
export function httpStatusOf(error: unknown): number {
  const code = codeOf(error);
  return code === undefined ? INTERNAL_ERROR : STATUS_CODES[code];
}

/** Codes that blame what a node was to read, so that reading it again would help nobody. */
const REFUSALS: ReadonlySet<M2fpErrorCode | undefined> = new Set<M2fpErrorCode>([
  'M2FP_NO_IMAGE',
  'M2FP_BAD_IMAGE',
  'M2FP_IMAGE_TOO_LARGE',
  'M2FP_UNSUPPORTED_FORMAT',
  'M2FP_NO_PARSING',
]);

/** True where a message was refused for what a node was to read of it. */
export function isRefusal(error: unknown): boolean {
  return REFUSALS.has(codeOf(error));
}
