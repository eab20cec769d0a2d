/** A parsing without its pixels: small and JSON-ready, for MQTT, HTTP answers and the debug sidebar. */
import { forEachSlice } from '../image/slices.ts';
import { firstOfName } from './options/options.ts';
import type { Parsing, Part, Person, Timing } from './types.ts';

/** As in the parsing, the score with four decimals. */
export type PersonSummary = Omit<Person, 'mask'>;

/** As in the parsing, the score with four decimals. */
export type PartSummary = Omit<Part, 'mask'>;

/**
 * What `msg.payload` of infer is: `msg.parsing` without what has pixels (image, maps, masks) and without the doubtful,
 * and with the shares that its label map gives. A name means in both the same. schemas/summary.schema.json describes it.
 */
export interface ParsingSummary extends Pick<
  Parsing,
  'width' | 'height' | 'labels' | 'model' | 'cached' | 'timing'
> {
  persons: PersonSummary[];
  /** All of them, each with its person. */
  parts: PartSummary[];
  /**
   * Label -> share of the label map's pixels (0 to 1, four decimals), for the labels that occur. Labels of one name
   * (by labelKey) count together, under the name that the first of them has.
   */
  shares: Record<string, number>;
}

function round(value: number, decimals: number): number {
  const scale = 10 ** decimals;
  return Math.round(value * scale) / scale;
}

/** What persons and parts have in common, as objects of its own but for polygons, which may have millions of corners. */
function region({ score, box, area, polygons }: Omit<Person, 'id' | 'mask'>) {
  const { x, y, width, height } = box;
  return {
    score: round(score, 4),
    box: { x, y, width, height },
    area,
    ...(polygons && { polygons }),
  };
}

/** One decimal. */
function rounded({ queue, decode, preprocess, inference, postprocess, total }: Timing): Timing {
  return {
    queue: round(queue, 1),
    decode: round(decode, 1),
    preprocess: round(preprocess, 1),
    inference: round(inference, 1),
    postprocess: round(postprocess, 1),
    total: round(total, 1),
  };
}

/**
 * The summary of a parsing; the keys always come in the same order, persons and parts in the parsing's. Lets the event
 * loop turn while it counts the label map's pixels.
 */
export async function summarize(
  parsing: Omit<Parsing, 'image' | 'personMap' | 'doubtful'>,
): Promise<ParsingSummary> {
  const { width, height, persons, parts, labels, labelMap, cached, timing } = parsing;
  const { id, digest, precision, provider } = parsing.model;
  return {
    width,
    height,
    persons: persons.map((person) => ({ id: person.id, ...region(person) })),
    parts: parts.map((part) => ({
      id: part.id,
      label: part.label,
      index: part.index,
      person: part.person,
      ...region(part),
    })),
    labels: [...labels],
    shares: await sharesOf(labelMap, labels),
    model: { id, digest, precision, provider },
    cached,
    timing: rounded(timing),
  };
}

async function sharesOf(labelMap: Uint8Array, labels: readonly string[]): Promise<Record<string, number>> {
  const counts = new Float64Array(labels.length);
  await forEachSlice(labelMap.length, 1, (first, end) => {
    for (let p = first; p < end; p++) counts[labelMap[p]!]!++;
  });
  const areas = new Map<number, number>();
  const firsts = firstOfName(labels);
  counts.forEach((count, index) => {
    const first = firsts[index]!;
    if (count > 0) areas.set(first, (areas.get(first) ?? 0) + count);
  });
  return Object.fromEntries(
    [...areas]
      .toSorted(([a], [b]) => a - b)
      .map(([index, area]) => [labels[index]!, round(area / labelMap.length, 4)]),
  );
}
