/** What an HTTP request asks for: a picture, and options for it. */
import { M2fpError } from '../errors.ts';
import { imageFromMessage } from '../image/source/image-from-message.ts';
import type { ImageLimits } from '../image/types.ts';
import { type Content, isBytes } from './body/content.ts';
import { type ClientOptions, type ClientRules, readClientOptions } from './client-options.ts';

export interface ParseOrder {
  /** Encoded. */
  picture: Buffer;
  options: ClientOptions;
}

/** The texts in an address, of any form that servers take. */
export function queryOf(url: string): [name: string, text: string][] {
  const query = url.split('#', 1)[0]!.split('?').slice(1).join('?');
  return [...new URLSearchParams(query)];
}

/**
 * @param query what the address says; what the body says goes before it
 * @param few whether the picture's value is known to have no more than some thousand names
 * @throws {M2fpError} what `imageFromMessage` throws, in words for clients; `M2FP_BAD_OPTION`
 */
export async function orderOf(
  { picture: value, texts, values }: Content,
  query: readonly [name: string, text: string][],
  rules: ClientRules,
  limits: ImageLimits,
  few: boolean,
): Promise<ParseOrder> {
  const picture = await pictureOf(value, limits, few);
  const inBody = new Set(texts.map(([name]) => name));
  const options = readClientOptions(
    [...query.filter(([name]) => !inBody.has(name)), ...texts],
    values,
    rules,
  );
  return { picture, options };
}

async function pictureOf(value: unknown, limits: ImageLimits, few: boolean): Promise<Buffer> {
  const isNothing =
    value === undefined ||
    value === null ||
    ((typeof value === 'string' || Buffer.isBuffer(value)) && value.length === 0);
  if (isNothing) {
    throw new M2fpError(
      'M2FP_NO_IMAGE',
      'The request holds no picture: send it as the body of the request, as an upload of a form, or as base64 in JSON.',
    );
  }
  return imageFromMessage(value, limits, few).catch((error: unknown) => {
    if (!isBytes(value) || !(error instanceof M2fpError && error.code === 'M2FP_UNSUPPORTED_FORMAT'))
      throw error;
    throw new M2fpError('M2FP_NO_IMAGE', 'The numbers in the JSON are not the bytes of a picture.', {
      cause: error,
    });
  });
}
