/** A parsing without its pixels: small and JSON-ready, for MQTT, HTTP answers and the debug sidebar. */
import { inSlices } from '../image/slices.ts';
import type { Box, Parsing, Part, Timing } from './types.ts';

export interface RegionSummary {
  /** The id in `msg.parsing`. */
  id: number;
  /** Four decimals. */
  score: number;
  box: Box;
  /** Pixels. */
  area: number;
  /** `area` as a share of the picture, 0 to 1, four decimals. */
  share: number;
}

export interface PartSummary extends RegionSummary {
  label: string;
}

export interface PersonSummary extends RegionSummary {
  /** This person's parts. */
  parts: PartSummary[];
}

export interface ParsingSummary {
  width: number;
  height: number;
  persons: PersonSummary[];
  /** Parts that belong to no person; all of them for a single-human model. */
  parts: PartSummary[];
  /** Label -> share of the label map's pixels (0 to 1, four decimals), for the labels that occur. */
  labels: Record<string, number>;
  /** The model's id. */
  model: string;
  cached: boolean;
  /** Milliseconds, one decimal. */
  timing: Timing;
}

function round(value: number, decimals: number): number {
  const scale = 10 ** decimals;
  return Math.round(value * scale) / scale;
}

/**
 * The summary of a parsing; the keys always come in the same order, persons and parts in the parsing's. Lets the event
 * loop turn while it counts the label map's pixels.
 */
export async function summarize(parsing: Omit<Parsing, 'image' | 'personMap'>): Promise<ParsingSummary> {
  const { width, height, model, cached, timing } = parsing;
  const pixels = width * height;
  const region = ({ id, score, box, area }: Omit<RegionSummary, 'share'>): RegionSummary => ({
    id,
    score: round(score, 4),
    box: { x: box.x, y: box.y, width: box.width, height: box.height },
    area,
    share: round(area / pixels, 4),
  });
  const partsOf = (person: number | null) =>
    parsing.parts
      .filter((part) => part.person === person)
      .map((part: Part): PartSummary => {
        const { id, ...rest } = region(part);
        return { id, label: part.label, ...rest };
      });

  const counts = await countLabels(parsing.labelMap, parsing.labels.length);
  // By name, because a configuration may give two classes the same one.
  const areas = new Map<string, number>();
  parsing.labels.forEach((label, index) => {
    if (counts[index]! > 0) areas.set(label, (areas.get(label) ?? 0) + counts[index]!);
  });

  return {
    width,
    height,
    persons: parsing.persons.map((person) => ({ ...region(person), parts: partsOf(person.id) })),
    parts: partsOf(null),
    labels: Object.fromEntries([...areas].map(([label, area]) => [label, round(area / pixels, 4)])),
    model: model.id,
    cached,
    timing: {
      queue: round(timing.queue, 1),
      decode: round(timing.decode, 1),
      preprocess: round(timing.preprocess, 1),
      inference: round(timing.inference, 1),
      postprocess: round(timing.postprocess, 1),
      total: round(timing.total, 1),
    },
  };
}

/** How many pixels of the label map (uint8, any order) each of `length` labels has. */
async function countLabels(labelMap: Uint8Array, length: number): Promise<Float64Array> {
  const counts = new Float64Array(length);
  await inSlices(labelMap.length, 1, (first, end) => {
    for (let p = first; p < end; p++) counts[labelMap[p]!]!++;
  });
  return counts;
}
