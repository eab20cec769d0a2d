/** The pictures that an answer can be. */
import { M2fpError } from '../errors.ts';
import { colorize } from '../parsing/colorize/colorize.ts';
import { crop } from '../parsing/crop/crop.ts';
import type { EncodedFormat } from '../parsing/options/image-options.ts';
import { badOption, labelIndices } from '../parsing/options/options.ts';
import { redact } from '../parsing/redact/redact.ts';
import type { Parsing } from '../parsing/types.ts';
import type { AnswerPlan } from './answer-options.ts';

export interface View {
  image: Buffer;
  mime: string;
  width: number;
  height: number;
}

/**
 * Refuses persons and labels that the picture, or its model, does not have: whoever was meant is perhaps somebody else in the
 * picture.
 * @throws {M2fpError} `M2FP_BAD_OPTION` naming the option, and what there is
 */
export function checkChoice(parsing: Parsing, { view, persons, labels }: AnswerPlan): void {
  labelIndices('labels', labels, parsing.labels);
  if (persons === null) return;
  // Who is perhaps there can be hidden. Absent in what an older version stored.
  const doubtful: Partial<Parsing['doubtful']> = parsing.doubtful ?? {};
  const known = [...parsing.persons, ...(view === 'redacted' ? (doubtful.persons ?? []) : [])];
  const ids = new Set(known.map(({ id }) => id));
  const missing = [...persons].find((id) => !ids.has(id));
  if (missing === undefined) return;
  const there = parsing.persons.map(({ id }) => id).join(', ');
  throw badOption('persons', missing, there === '' ? 'nothing, for there is nobody in the picture' : there);
}

/**
 * The picture that `plan.view` names, in a format that it can have (see plan.ts). Of a redacted one holds what redact promises: of every person who was seen, what was
 * to be hidden is hidden, the whole person where the parts were not found.
 * @throws {M2fpError} `M2FP_NOTHING_FOUND` where there is nothing to crop; `M2FP_BAD_OPTION` for what the picture or
 *   its model does not have
 */
export async function viewOf(parsing: Parsing, plan: AnswerPlan, format: EncodedFormat): Promise<View> {
  const { view, quality } = plan;
  const encoding = { format, quality };
  switch (view) {
    case 'redacted': {
      const { method, cells, color, grow, persons } = plan;
      return redact(parsing, {
        ...encoding,
        method,
        cells,
        color,
        grow,
        uncovered: 'person',
        ...(persons && { persons: [...persons] }),
        ...labelsOf(plan),
      });
    }
    case 'crop':
      return croppedOf(parsing, plan, encoding);
    case 'labels':
      return colorize(only(parsing, plan), {
        ...encoding,
        mode: 'labels',
        ...(plan.persons ? { paint: 'parts', minScore: 0 } : { paint: 'map' }),
        ...labelsOf(plan),
      });
    default: {
      const { opacity, contours, contourColor, names, scores, legend, palette, background, minScore } = plan;
      return colorize(only(parsing, plan), {
        ...encoding,
        mode: view === 'map' ? 'map' : 'overlay',
        by: view === 'persons' ? 'person' : 'label',
        opacity,
        contours,
        contourColor,
        names,
        scores,
        legend,
        palette,
        background,
        minScore,
        ...labelsOf(plan),
      });
    }
  }
}

async function croppedOf(
  parsing: Parsing,
  plan: AnswerPlan,
  encoding: { format: EncodedFormat; quality: number },
): Promise<View> {
  const { cutout, padding, persons } = plan;
  const { labels } = labelsOf(plan);
  const options = {
    ...encoding,
    mode: cutout ? ('cutout' as const) : ('box' as const),
    padding: 'share' in padding ? `${padding.share * 100}%` : padding.pixels,
    max: 1,
  };
  const [found] = await crop(
    only(parsing, plan),
    labels ? { ...options, what: 'groups', groups: { asked: labels } } : { ...options, what: 'persons' },
  );
  if (found !== undefined) {
    const { image, width, height } = found;
    return { image, width, height, mime: `image/${encoding.format}` };
  }
  const what = labels ? labels.join(', ') : 'person';
  const whose = persons ? ` of the persons ${[...persons].join(', ')}` : '';
  throw new M2fpError('M2FP_NOTHING_FOUND', `The picture has no ${what}${whose} to cut out.`);
}

function labelsOf({ labels }: AnswerPlan): { labels?: readonly string[] } {
  return Array.isArray(labels) && labels.length > 0 ? { labels: labels as string[] } : {};
}

/**
 * The parsing with the chosen persons alone, and their parts. What is not sure is in none of these pictures. The maps stay: who
 * chooses persons gets a picture of masks.
 */
function only(parsing: Parsing, { persons }: AnswerPlan): Parsing {
  if (persons === null) return parsing;
  return {
    ...parsing,
    persons: parsing.persons.filter(({ id }) => persons.has(id)),
    parts: parsing.parts.filter(({ person }) => person !== null && persons.has(person)),
    doubtful: { persons: [], parts: [] },
  };
}
