/** Where models are kept. */
import { resolve } from 'node:path';
import type { NodeAPI } from 'node-red';
import { M2fpError } from '../../src/errors.ts';

/** The folder of the model store. @throws {M2fpError} `M2FP_BAD_OPTION` */
export function storeFolder(RED: NodeAPI): string {
  const userDir = RED.settings.userDir ?? '.';
  const chosen = (RED.settings as { m2fpModelStore?: unknown }).m2fpModelStore ?? '';
  if (typeof chosen !== 'string') {
    throw new M2fpError(
      'M2FP_BAD_OPTION',
      'm2fpModelStore in settings.js is no text: it names the folder in which models are kept.',
    );
  }
  return chosen === '' ? resolve(userDir, 'm2fp', 'models') : resolve(userDir, chosen);
}
