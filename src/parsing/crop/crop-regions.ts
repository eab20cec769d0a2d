/** What becomes a crop, in which order, and how its file is called. */
import type { CropPlan } from './crop-options.ts';
import { BACKGROUND_INDEX, firstOfName, personIndex } from '../options/options.ts';
import type { EncodedFormat } from '../options/image-options.ts';
import type { Box, Parsing, Person, Rle } from '../types.ts';

/** What becomes one crop. */
export interface Region {
  /** Of a label or a group; absent for a whole person. */
  label?: string;
  /** Id of the part, where it is a single one. */
  part?: number;
  person: number | null;
  score: number;
  box: Box;
  area: number;
  /** Place among those of the same person. */
  index: number;
  masks: Rle[];
}

/** What to crop, in order: persons by id, nobody last; then by label or group. */
export function regionsOf(parsing: Parsing, { what, chosen, groups, minScore }: CropPlan): Region[] {
  const human = personIndex(parsing);
  const isFound = (found: { score: number; box: Box }): boolean =>
    found.score >= minScore && found.box.width > 0 && found.box.height > 0;
  const wholePersons = (): Region[] =>
    parsing.persons.filter(isFound).map((person) => personRegion(person, human));
  if (what === 'persons') return wholePersons().toSorted(byPerson);

  const grouped = what === 'groups' || what === 'person-groups';
  const isChosen = (index: number): boolean =>
    grouped
      ? groups.some(({ indices }) => indices.has(index))
      : (chosen?.has(index) ?? (index !== BACKGROUND_INDEX && index !== human));
  const regions: Region[] = parsing.parts
    .filter((part) => isFound(part) && isChosen(part.index))
    .map(({ id, mask, ...part }) => ({ ...part, part: id, masks: [mask] }));
  if (isChosen(human)) {
    const label = parsing.labels[human]!;
    regions.push(...wholePersons().map((region) => ({ ...region, label })));
  }
  switch (what) {
    case 'person-parts':
      return regions.toSorted(byPerson);
    case 'labels': {
      const firsts = firstOfName(parsing.labels);
      return unions(regions, ({ index }) => firsts[index] ?? index).toSorted(byPerson);
    }
    default: {
      const members = groups.flatMap(({ name, indices }, index) =>
        regions
          .filter((region) => indices.has(region.index))
          .map((region) => ({ ...region, label: name, index })),
      );
      const keyOf = ({ index, person }: Region): string =>
        what === 'groups' ? String(index) : `${index} ${person}`;
      return unions(members, keyOf, what === 'person-groups').toSorted(byPerson);
    }
  }
}

function personRegion({ id, score, box, area, mask }: Person, index: number): Region {
  return { person: id, index, score, box, area, masks: [mask] };
}

/** By person, nobody last; then by label, then as the network's post-processing ordered them. */
function byPerson(a: Region, b: Region): number {
  return (a.person ?? Infinity) - (b.person ?? Infinity) || a.index - b.index;
}

/** One region for each key, around all of `regions` that have it. */
function unions(
  regions: readonly Region[],
  keyOf: (region: Region) => unknown,
  keepsPerson = false,
): Region[] {
  const groups = new Map<unknown, Region[]>();
  for (const region of regions) groups.set(keyOf(region), [...(groups.get(keyOf(region)) ?? []), region]);
  return [...groups.values()].map((group): Region => {
    const { label, index, area, person } = group[0]!;
    return {
      index,
      label,
      person: keepsPerson ? person : null,
      score: Math.max(...group.map((region) => region.score)),
      box: group.map((region) => region.box).reduce(unite),
      area,
      masks: group.flatMap(({ masks }) => masks),
    };
  });
}

/** The smallest box around both. */
function unite(a: Box, b: Box): Box {
  const x = Math.min(a.x, b.x);
  const y = Math.min(a.y, b.y);
  return {
    x,
    y,
    width: Math.max(a.x + a.width, b.x + b.width) - x,
    height: Math.max(a.y + a.height, b.y + b.height) - y,
  };
}

const EXTENSIONS = { png: 'png', jpeg: 'jpg', webp: 'webp' } as const;
/** Names that Windows keeps for devices, with any ending. */
const DEVICES = /^(?:con|prn|aux|nul|com\d|lpt\d)$/;
const MAX_STEM = 100;

/** A maker of file names, each given once: a second "person-1-hair.png" is "person-1-hair-2.png". */
export function fileNames(
  format: EncodedFormat,
): (person: number | null, label: string | undefined) => string {
  const taken = new Set<string>();
  return (person, label) => {
    const words = [person === null ? '' : `person-${person}`, label === undefined ? '' : slug(label)];
    const given = words.filter((word) => word !== '').join('-') || 'part';
    const stem = DEVICES.test(given) ? `part-${given}` : given;
    let name = stem;
    for (let n = 2; taken.has(name); n++) name = `${stem}-${n}`;
    taken.add(name);
    return `${name}.${EXTENSIONS[format]}`;
  };
}

/** A label as part of a file name on any system: letters and digits of any script, lower case, and hyphens. */
function slug(label: string): string {
  const words = label.toLowerCase().replace(/[^\p{L}\p{N}]+/gu, '-');
  return Array.from(words).slice(0, MAX_STEM).join('').replace(/^-|-$/g, '');
}
