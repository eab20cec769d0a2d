/** Which of the answers that there are the client wants. */
import Negotiator from 'negotiator';
import { M2fpError } from '../errors.ts';
import type { EncodedFormat } from '../parsing/options/image-options.ts';
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

export type PictureFormat = Format & EncodedFormat;

/** In the order of our own liking. */
const PICTURES = ['png', 'webp', 'jpeg'] as const satisfies readonly PictureFormat[];

/** What `Accept` chooses among, in the order of our own liking. */
const BY_ACCEPT = ['json', ...PICTURES, 'multipart'] as const satisfies readonly Format[];

export const isPicture = (format: Format): format is PictureFormat =>
  (PICTURES as readonly Format[]).includes(format);

export interface Offer {
  /** What a client gets that likes others no better. */
  preferred?: Format | undefined;
  /** What the picture can be encoded as. */
  pictures?: readonly PictureFormat[];
  /** Why that is not everything. */
  reason?: string;
}

/**
 * The format of an answer for a client that names none: what it accepts the most, and of equals `preferred`.
 * @param accept the header; absent: anything
 * @throws {M2fpError} `M2FP_NOT_ACCEPTABLE`
 */
export function negotiate(
  accept: string | undefined,
  { preferred = 'json', pictures = PICTURES, reason = '' }: Offer,
): Format {
  const offered = [
    ...new Set<Format>([preferred, ...(isPicture(preferred) ? PICTURES : []), ...BY_ACCEPT]),
  ].filter((format) => !isPicture(format) || pictures.includes(format));
  // COCO is JSON for whoever accepts that.
  const types = offered.map((name) => CONTENT_TYPES[name]);
  const there = [...new Set(types)];
  const client = new Negotiator({ headers: { accept: withoutParameters(accept || undefined) } });
  const [chosen] = client.mediaTypes(there);
  if (chosen !== undefined) return offered[types.indexOf(chosen)]!;
  const missing = client.mediaTypes(Object.values(CONTENT_TYPES));
  const why =
    missing.length === 0 || reason === '' ? '' : `, and there is no ${missing.join(', ')} where ${reason}`;
  throw new M2fpError(
    'M2FP_NOT_ACCEPTABLE',
    `There is no answer of the type that was asked for (Accept: ${accept?.slice(0, 200)})${why}. There are: ` +
      `${there.join(', ')}; or ask by name: ?format=${namesOf(offered).join(', ')}.`,
  );
}

/** A parameter of a media range, its value perhaps in quotes; `q` is none. */
const PARAMETER = /;\s*(?!q=)[^\s;,=]+(?:=(?:"(?:\\.|[^"\\])*"|[^\s;,"]*))?/gi;

/** `Accept` without a charset, a version or a profile: our types come in one form, which such a client can read, too. */
const withoutParameters = (accept: string | undefined): string | undefined => accept?.replace(PARAMETER, '');

const namesOf = (offered: readonly Format[]): Format[] =>
  FORMATS.filter((format) => !isPicture(format) || offered.includes(format));
