/** The form of the node, as it is stored in flows. */
import {
  anyText,
  flag,
  inForm,
  number,
  oneOf,
  optionsInFields,
  valuesOf,
  whole,
} from '../../src/parsing/options/option-table.ts';
import { areasOption } from '../../src/people/zones/areas-option.ts';
import type { Config, Field } from '../common/form-fields.ts';

/** More is no camera, and less than one in ten thousand seconds none either. */
const MAX_RATE = 60;

const CAMERA_SETTINGS = {
  source: oneOf(['snapshot', 'mjpeg', 'video'], 'snapshot'),
  /** Of a picture, a stream, or the path of a file. */
  address: anyText(''),
  login: oneOf(['none', 'login', 'token'], 'none'),
  /** Path of ffmpeg; blank: the one on the PATH. */
  ffmpeg: anyText(''),
  /** Whether a file plays at its own speed. */
  paced: flag(false),
  /** Whether a file begins again at its end. */
  loop: flag(false),
  pace: oneOf(['flow', 'fixed', 'manual'], 'flow'),
  /** Frames a second at most; blank or 0 = no limit. */
  rate: inForm(number(0, MAX_RATE, 0), { value: '' }),
  autostart: flag(true),
  /** Seconds without a picture after which the camera is given up. */
  timeout: number(1, 300, 10),
  /** MiB of one picture. */
  maxSize: number(1, 100, 16),
  motion: flag(false),
  /** Percent of the picture that must have changed. */
  motionShare: number(0.01, 100, 0.2),
  /** Grey levels from which a pixel counts as changed. */
  motionThreshold: whole(1, 255, 15),
  /** Seconds after which a frame goes out although nothing has moved. */
  keepAlive: number(1, 86_400, 60),
  /** Where nothing counts. */
  ignored: areasOption(),
};

export const FIELDS = {
  ...CAMERA_SETTINGS,
  /** Node-RED's own config node for TLS; none chosen: certificates are checked as always. */
  tls: { form: { value: '', input: 'model', definition: { type: 'tls-config', required: false } } } as Field,
};

export type CameraConfig = Config<typeof FIELDS>;

/** What the editor keeps apart from the flow. */
export interface CameraCredentials {
  user?: string;
  password?: string;
  token?: string;
}

export type CameraSettings = ReturnType<typeof readSettings>;

/** @throws {M2fpError} `M2FP_BAD_OPTION` */
export function readSettings(config: Pick<CameraConfig, keyof typeof CAMERA_SETTINGS>) {
  return valuesOf(CAMERA_SETTINGS, optionsInFields(CAMERA_SETTINGS, config));
}

/** The credentials that the form's choice of login uses. */
export function chosenCredentials(
  { login }: Pick<CameraSettings, 'login'>,
  { user, password, token }: CameraCredentials = {},
): CameraCredentials {
  if (login === 'token') return { ...(token && { token }) };
  return login === 'login' ? { ...(user && { user }), ...(password && { password }) } : {};
}
