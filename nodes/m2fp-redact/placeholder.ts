/** What is sent in place of a picture that could not be redacted. */
import type { Node, NodeAPI, NodeMessageInFlow } from 'node-red';
import { M2fpError } from '../../src/errors.ts';
import { PLACEHOLDER_SIZE, placeholderImage } from '../../src/parsing/redact/placeholder.ts';
import { IMAGE_OPTIONS } from '../../src/parsing/options/image-options.ts';
import { valuesOf } from '../../src/parsing/options/option-table.ts';
import { isRecord, isWhole } from '../../src/parsing/options/options.ts';
import { optionsInMessage } from '../common/option-names.ts';
import { putResult } from '../common/result.ts';
import type { StatusLine } from '../common/status.ts';
import { type RedactConfig, type RedactSettings, settingsOf } from './config.ts';

/** Larger claims of a damaged parsing are not believed, pixels. */
const MAX_SIDE = 16_384;

/** Whether the message has no picture that could be redacted. What is wrong with the form, or ends the node, is told as ever. */
export function isNoPicture(error: unknown): error is M2fpError {
  return error instanceof M2fpError && error.code !== 'M2FP_BAD_OPTION' && error.code !== 'M2FP_CANCELLED';
}

/**
 * Puts a black frame with a text into the message, as large as the picture where the parsing tells. The parsing goes, and
 * what the payload was: either may hold the picture.
 */
export async function putPlaceholder(
  RED: NodeAPI,
  node: Node,
  msg: NodeMessageInFlow,
  config: RedactConfig,
  status: StatusLine,
  { code }: M2fpError,
): Promise<void> {
  const { format, quality } = { ...settingsOf(config), ...optionsInMessage<RedactSettings>(msg, 'redact') };
  const encoding = valuesOf(IMAGE_OPTIONS, { format, quality });
  const text = status.text('result.placeholder');
  const image = await placeholderImage(text, sizeOf(msg) ?? PLACEHOLDER_SIZE, encoding);
  delete msg['parsing'];
  msg.payload = image;
  msg['redacted'] = { placeholder: true, reason: code };
  status.warn(text);
  await putResult(RED, node, msg, config, image);
}

/** What the parsing says, where that can be read and believed. */
function sizeOf(msg: NodeMessageInFlow): { width: number; height: number } | undefined {
  try {
    const { width, height } = isRecord(msg['parsing']) ? msg['parsing'] : {};
    const isSize = isWhole(width, 1, MAX_SIDE) && isWhole(height, 1, MAX_SIDE);
    return isSize ? { width, height } : undefined;
  } catch {
    return undefined;
  }
}
