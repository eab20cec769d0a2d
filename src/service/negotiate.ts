/** Which of the answers that there are the client wants. */
import Negotiator from 'negotiator';
import { M2fpError } from '../errors.ts';
import { type Format, FORMATS } from './answer-options.ts';

/** The type of each format; `coco` is JSON, too, and has to be asked for by name. */
export const CONTENT_TYPES: Readonly<Record<Format, string>> = {
  json: 'application/json',
  png: 'image/png',
  webp: 'image/webp',
  jpeg: 'image/jpeg',
  coco: 'application/json',
  multipart: 'multipart/mixed',
};

/** What `Accept` chooses among, in the order of our own liking. */
const BY_ACCEPT = ['json', 'png', 'webp', 'jpeg', 'multipart'] as const satisfies readonly Format[];

/**
 * The format of an answer: what `format` says, else what the client accepts the most, and of equals `preferred`.
 * @param accept the header; absent: anything
 * @throws {M2fpError} `M2FP_NOT_ACCEPTABLE`
 */
export function negotiate(
  accept: string | undefined,
  format: Format | undefined,
  preferred: Format = 'json',
): Format {
  if (format !== undefined) return format;
  // COCO is JSON for whoever accepts that.
  const offered: readonly Format[] = [preferred, ...BY_ACCEPT.filter((other) => other !== preferred)];
  const types = offered.map((name) => CONTENT_TYPES[name]);
  const [chosen] = new Negotiator({ headers: { accept: accept || undefined } }).mediaTypes([
    ...new Set(types),
  ]);
  if (chosen !== undefined) return offered[types.indexOf(chosen)]!;
  throw new M2fpError(
    'M2FP_NOT_ACCEPTABLE',
    `There is no answer of the type that was asked for (Accept: ${accept?.slice(0, 200)}). There are: ` +
      `${[...new Set(Object.values(CONTENT_TYPES))].join(', ')}; or ask by name: ?format=${FORMATS.join(', ')}.`,
  );
}
