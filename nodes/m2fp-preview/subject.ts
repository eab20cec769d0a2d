/** What a message brings to be shown. */
import type { Node, NodeAPI, NodeMessageInFlow } from 'node-red';
import { M2fpError } from '../../src/errors.ts';
import { FIXED_LIMITS, imageFrom } from '../../src/image/index.ts';
import { codeOf } from '../common/failure.ts';
import { isMade } from '../common/made.ts';
import { type ParsingConfig, parsingOf } from '../common/parsing.ts';
import { type ImageConfig, imageOf } from '../common/image.ts';
import { evaluate } from '../common/property.ts';
import type { ShownView } from './config.ts';
import type { Subject } from './preview.ts';

/**
 * @throws {M2fpError} `M2FP_NO_PARSING` where there is nothing to show, and what `imageOf` and `parsingOf` throw
 */
export async function subjectOf(
  RED: NodeAPI,
  node: Node,
  msg: NodeMessageInFlow,
  view: ShownView,
  { picture, pictureType, ...config }: ParsingConfig & ImageConfig,
): Promise<Subject> {
  const place = { picture, pictureType };
  if (view === 'picture') return { image: await imageOf(RED, node, msg, place, FIXED_LIMITS) };
  const { parsing: value, parsingType: type } = config;
  const isParsed = async (): Promise<boolean> =>
    ((await evaluate(RED, node, msg, { value, type }).catch(() => undefined)) ?? undefined) !== undefined;
  const parsing = view !== 'auto' || (await isParsed()) ? await parsingOf(RED, node, msg, config) : undefined;
  if (view === 'auto') {
    const found = await imageOf(RED, node, msg, place, FIXED_LIMITS).catch((error: unknown) => {
      // Beside a parsing anything may lie; without one, it is what was meant to be shown.
      if (parsing !== undefined) return undefined;
      throw codeOf(error) === 'M2FP_NO_IMAGE' ? nothing(place) : error;
    });
    if (found && (parsing === undefined || isMade(found) || !isSource(found, parsing.image)))
      return { image: found };
  }
  if (parsing === undefined) throw nothing(place);
  return { parsing };
}

/** Whether it is the picture that was parsed, which a message may still bring in its payload. */
function isSource(shown: Buffer, image: unknown): boolean {
  try {
    return imageFrom(image).equals(shown);
  } catch {
    return false;
  }
}

function nothing({ picture, pictureType }: ImageConfig): M2fpError {
  return new M2fpError(
    'M2FP_NO_PARSING',
    `There is neither a picture in ${pictureType}.${picture} nor a parsing: wire the preview behind an infer, ` +
      'colorize, crop or redact node, or choose in its form what to show.',
  );
}
