/** How many garments are described right, by light and by colour. */
import { rleToRuns } from '../../src/parsing/masks/rle.ts';
import { runsArea, runsOverlap } from '../../src/parsing/masks/runs.ts';
import type { Parsing } from '../../src/parsing/types.ts';
import type { Description } from '../../src/people/describe/describe.ts';
import type { WardrobePart, WardrobeScene } from './wardrobe.ts';

/** Smaller garments tell no colour to anybody, pixels. */
export const LEAST_AREA = 100;
/** Of the union, what a person who was found must have in common with the true one. */
const SAME_PERSON = 0.5;

/** A true garment, or hair: what was painted, and what was said of it. */
export interface Verdict {
  light: string;
  label: string;
  paints: string[];
  /** Null: the garment was not found (by the model, or too small to be told). */
  said: string[] | null;
}

/** The colours that `description` gives to what each true person of `scene` wears. */
export function judge(
  scene: WardrobeScene,
  light: string,
  parsing: Parsing,
  { persons }: Description,
): Verdict[] {
  const matches = matchesOf(scene, parsing);
  return joined(scene.parts).map(({ person, label, paints }) => {
    const found = persons.find(({ id }) => id !== null && id === matches.get(person));
    const colors =
      label === 'Hair'
        ? found?.hair?.colors
        : found?.garments.find(({ labels }) => labels.some((name) => plain(name) === plain(label)))?.colors;
    return { light, label, paints, said: colors?.map(({ term }) => term) ?? null };
  });
}

/** Left and right are one. */
function plain(label: string): string {
  return label.replace(/^(?:Left|Right)-/, '');
}

/** What was painted and shows enough, pairs as one. */
function joined(parts: readonly WardrobePart[]): { person: number; label: string; paints: string[] }[] {
  const areas = new Map<string, { person: number; label: string; paints: string[]; area: number }>();
  for (const { person, label, paints, mask } of parts) {
    if (paints === undefined) continue;
    const key = `${person} ${plain(label)}`;
    const area = (areas.get(key)?.area ?? 0) + runsArea(rleToRuns(mask));
    areas.set(key, { person, label: plain(label), paints, area });
  }
  return [...areas.values()].filter(({ area }) => area >= LEAST_AREA);
}

/** True person -> id of the one in the parsing that has most of it. */
function matchesOf(scene: WardrobeScene, parsing: Parsing): Map<number, number> {
  const found = parsing.persons.map(({ id, mask }) => ({ id, runs: rleToRuns(mask) }));
  return new Map(
    scene.persons.flatMap(({ person, mask }) => {
      const runs = rleToRuns(mask);
      const scored = found.map((other) => {
        const common = runsOverlap(runs, other.runs);
        return { id: other.id, iou: common / (runsArea(runs) + runsArea(other.runs) - common) };
      });
      const best = scored.toSorted((a, b) => b.iou - a.iou)[0];
      return best !== undefined && best.iou >= SAME_PERSON ? [[person, best.id] as const] : [];
    }),
  );
}

export interface Tally {
  garments: number;
  found: number;
  /** Of those that were found, whose main colour was named right. */
  right: number;
}

/** How many of `verdicts` are right: the first colour that was said is the main paint, or for two paints either of them. */
export function tally(verdicts: readonly Verdict[]): Tally {
  const found = verdicts.filter(({ said }) => said !== null);
  return {
    garments: verdicts.length,
    found: found.length,
    right: found.filter(({ said, paints }) => said!.length > 0 && paints.includes(said![0]!)).length,
  };
}
