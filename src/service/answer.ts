/** What goes back over HTTP: a parsing in the form that the client wants, or what went wrong. */
import { randomBytes } from 'node:crypto';
import { checkParsing } from '../parsing/check.ts';
import type { AnswerPlan, Format } from './answer-options.ts';
import type { Parsing } from '../parsing/types.ts';
import { cocoOf } from './coco.ts';
import { encodeJson, jsonOf } from './json.ts';
import { CONTENT_TYPES } from './negotiate.ts';
import { type Asked, planAnswer } from './plan.ts';
import { type Answer, HEADERS } from './problem-answer.ts';
import { checkChoice, type View, viewOf } from './view.ts';

/** How a picture is encoded that comes with JSON. */
const BESIDE_JSON = 'png';

/**
 * The answer to a client. Pixel work goes in slices between turns of the event loop.
 * @throws {M2fpError} `M2FP_NOT_ACCEPTABLE`, `M2FP_BAD_OPTION`, `M2FP_NOTHING_FOUND`, `M2FP_NO_PARSING`
 */
export async function answerOf(parsing: unknown, asked: Asked): Promise<Answer> {
  checkParsing(parsing);
  const { plan, format } = planAnswer(asked);
  checkChoice(parsing, plan);
  const { type, body } = await bodyOf(parsing, plan, format);
  return { statusCode: 200, headers: { ...HEADERS, 'content-type': type }, body };
}

async function bodyOf(
  parsing: Parsing,
  plan: AnswerPlan,
  format: Format,
): Promise<{ type: string; body: Buffer }> {
  const type = CONTENT_TYPES[format];
  switch (format) {
    case 'json': {
      const view = plan.picture ? await viewOf(parsing, plan, BESIDE_JSON) : undefined;
      return { type, body: encodeJson(await jsonOf(parsing, plan), view) };
    }
    case 'coco':
      return { type, body: encodeJson(await cocoOf(parsing, plan)) };
    case 'multipart': {
      const view = await viewOf(parsing, plan, BESIDE_JSON);
      return inParts(encodeJson(await jsonOf(parsing, plan)), view);
    }
    default:
      return { type, body: (await viewOf(parsing, plan, format)).image };
  }
}

/** JSON and the picture as multipart/mixed (RFC 2046). */
function inParts(json: Buffer, { image, mime }: View): { type: string; body: Buffer } {
  // No more likely in a picture than a broken memory chip.
  const boundary = `m2fp-${randomBytes(18).toString('hex')}`;
  const head = (type: string, length: number): Buffer =>
    Buffer.from(`--${boundary}\r\nContent-Type: ${type}\r\nContent-Length: ${length}\r\n\r\n`);
  const end = Buffer.from('\r\n');
  return {
    type: `multipart/mixed; boundary=${boundary}`,
    body: Buffer.concat([
      head(CONTENT_TYPES.json, json.length),
      json,
      end,
      head(mime, image.length),
      image,
      end,
      Buffer.from(`--${boundary}--\r\n`),
    ]),
  };
}
