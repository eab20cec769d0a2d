/** Why a camera gives no picture. */
import { M2fpError } from '../errors.ts';

/** Words that stay the same: flows switch on them, and the catalogues have a text for each. */
export const OFFLINE_REASONS = [
  'settings',
  'connecting',
  'stopped',
  'unreachable',
  'timeout',
  'login',
  'refused',
  'certificate',
  'no-picture',
  'too-large',
  'ended',
  'ffmpeg-missing',
  'ffmpeg-failed',
  'error',
] as const;

export type OfflineReason = (typeof OFFLINE_REASONS)[number];

/** The message never holds a password, a token, or the query of an address. */
export class CameraError extends M2fpError {
  readonly reason: OfflineReason;

  constructor(reason: OfflineReason, message: string, options?: ErrorOptions) {
    super('M2FP_CAMERA_OFFLINE', message, options);
    this.reason = reason;
  }
}

/** The reason for any thrown value. */
export function reasonOf(error: unknown): OfflineReason {
  return error instanceof CameraError ? error.reason : 'error';
}
