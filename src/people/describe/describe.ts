/** What the people of a picture wear, in words and as data. */
import { checkParsing } from '../../parsing/check.ts';
import { labelKey } from '../../parsing/options/options.ts';
import { decodeSmallSource } from '../../parsing/source.ts';
import type { Box, Parsing, Part, Person } from '../../parsing/types.ts';
import { colorsOf } from '../colors/colors.ts';
import { nameColor } from '../colors/terms.ts';
import { exposureOf } from '../colors/exposure.ts';
import { bareness, edgesOf } from './body.ts';
import { type DescribeOptions, type DescribePlan, readDescribeOptions } from './describe-options.ts';
import { nameHair } from './hair.ts';
import { pairKey, type Patches, patchesOf } from './patches.ts';
import { colored, sentenceOf, sentenceOfAll } from './sentence.ts';
import type { Description, Garment, PersonDescription, Seen } from './types.ts';
import { GLASSES, HATS, type Kind, nounOf, rankOf, SHOES, UPPER, type Word, wordsOf } from './words.ts';

export type { DescribeOptions } from './describe-options.ts';
export type { Description, PersonDescription } from './types.ts';

/** Pixels of the longer side of the copy whose colours are looked at: the network saw no finer. */
const LONGER_SIDE = 512;
/** Of the share that a garment must have, what is small must have. */
const SMALL = 0.2;

/** Somebody, and the parts that are told of. */
interface Somebody {
  /** 0: the one person of a model that finds no whole persons. */
  id: number;
  person: (Person & { track?: number | null }) | null;
  box: Box;
  area: number;
  parts: (Part & { word: Word })[];
}

/**
 * Describes each person of a parsing, in the parsing's order: what it wears and in which colours, its hair, what is bare,
 * cut off and overlapped. What shows too little is left out, and what cannot be seen is null. The picture is looked at in a
 * small copy, in slices between turns of the event loop; nothing is written into the parsing.
 *
 * @throws {M2fpError} `M2FP_NO_PARSING` where `parsing` is none, or its picture has another size than it says;
 * `M2FP_BAD_OPTION` naming the option that is wrong.
 */
export async function describe(parsing: Parsing, options?: DescribeOptions): Promise<Description> {
  checkParsing(parsing);
  const plan = readDescribeOptions(options);
  const words = wordsOf(parsing);
  const people = peopleOf(parsing, plan, words);
  const persons: PersonDescription[] = [];
  if (people.length > 0) {
    const image = await decodeSmallSource(parsing, LONGER_SIDE);
    const patches = await patchesOf(parsing, image, words);
    const colors = { ...plan, exposure: await exposureOf(image, parsing) };
    for (const somebody of people) persons.push(await describeOne(somebody, parsing, patches, colors));
    for (const person of persons) person.overlaps = overlapsOf(person, persons, patches);
  }
  return { persons, sentence: sentenceOfAll(persons, plan.language) };
}

/** The parsing with what was told of each person as its `description`; the parsing itself stays as it is. */
export function withDescriptions(parsing: Parsing, { persons }: Description): Parsing {
  const byId = new Map(persons.map((person) => [person.id, person]));
  return {
    ...parsing,
    persons: parsing.persons.map((person) => {
      const description = byId.get(person.id);
      return description === undefined ? person : { ...person, description };
    }),
  };
}

function peopleOf(parsing: Parsing, plan: DescribePlan, words: readonly (Word | undefined)[]): Somebody[] {
  const parts = parsing.parts.flatMap((part) => {
    const word = words[part.index];
    return word === undefined || part.score < plan.minScore || part.area === 0 ? [] : [{ ...part, word }];
  });
  const persons = parsing.persons.filter(({ score, area }) => score >= plan.minScore && area > 0);
  if (persons.length > 0) {
    return persons.map((person) => ({
      id: person.id,
      person,
      box: person.box,
      area: person.area,
      parts: parts.filter((part) => part.person === person.id),
    }));
  }
  const findsPersons = ['human', 'person'].includes(labelKey(parsing.labels.at(-1)!));
  if (parsing.persons.length > 0 || findsPersons || parts.length === 0) return [];
  return [{ id: 0, person: null, box: around(parts), area: areaOf(parts), parts }];
}

function around(parts: readonly Part[]): Box {
  const x = Math.min(...parts.map(({ box }) => box.x));
  const y = Math.min(...parts.map(({ box }) => box.y));
  const right = Math.max(...parts.map(({ box }) => box.x + box.width));
  const bottom = Math.max(...parts.map(({ box }) => box.y + box.height));
  return { x, y, width: right - x, height: bottom - y };
}

function areaOf(parts: readonly Part[]): number {
  return parts.reduce((sum, { area }) => sum + area, 0);
}

type Look = DescribePlan & { exposure: number };

async function describeOne(
  somebody: Somebody,
  parsing: Parsing,
  patches: Patches,
  look: Look,
): Promise<PersonDescription> {
  const { person, box } = somebody;
  const cutOff = edgesOf(box, parsing);
  const garments = await garmentsOf(somebody, patches, look);
  const hair = await hairOf(somebody, patches, look);
  const of = (...kinds: Kind[]): Part[] => somebody.parts.filter(({ word }) => kinds.includes(word.kind));
  const worn = (names: readonly string[] | ReadonlySet<string>): boolean =>
    garments.some(({ name }) => [...names].includes(name));
  const head = of('hair', 'face');
  const seen = (names: readonly string[], where: boolean): Seen => worn(names) || (where ? false : null);
  const bare = {
    bareArms: bareness(of('arm'), 'arm', head, { box, cutOff }),
    bareLegs: bareness(of('leg'), 'leg', head, { box, cutOff }),
  };
  return {
    id: person?.id ?? null,
    ...(typeof person?.track === 'number' && { track: person.track }),
    sentence: sentenceOf({ garments, hair, ...bare }, look.language),
    garments,
    hair,
    hat: seen(HATS, of('hair').length > 0 && !cutOff.includes('top')),
    glasses: seen(GLASSES, of('face').length > 0),
    scarf: seen(['scarf'], of('face').length > 0 && worn(UPPER)),
    gloves: seen(['gloves'], of('arm').length > 0),
    // What trousers hide, and whether feet are bare, is not told by labels.
    socks: seen(['socks', 'stockings'], false),
    shoes: seen(SHOES, false),
    ...bare,
    cutOff,
    overlaps: [],
  };
}

async function garmentsOf({ id, area, parts }: Somebody, patches: Patches, look: Look): Promise<Garment[]> {
  const worn = parts.filter(({ word }) => word.kind === 'clothes' || word.kind === 'things');
  const garments: Garment[] = [];
  for (const name of new Set(worn.map(({ word }) => word.name))) {
    const own = worn.filter(({ word }) => word.name === name);
    const { word } = own[0]!;
    const share = areaOf(own) / area;
    if (share < look.minShare * (word.small === true ? SMALL : 1)) continue;
    const samples = await patches.samplesOf(id, name);
    const colors =
      samples === null
        ? []
        : colorsOf(samples, {
            ...look,
            max: look.maxColors,
            minShare: look.minColorShare,
            name: nameColor,
          });
    garments.push({
      labels: [...new Set(own.map(({ label }) => label))],
      name,
      text: colored(nounOf(word, look.language), colors, look.language),
      colors,
      area: areaOf(own),
      share: Math.round(1000 * share) / 1000,
      score: Math.round(10_000 * Math.max(...own.map(({ score }) => score))) / 10_000,
    });
  }
  return garments.toSorted((a, b) => rankOf(a.name) - rankOf(b.name));
}

async function hairOf(
  { id, parts }: Somebody,
  patches: Patches,
  look: Look,
): Promise<PersonDescription['hair']> {
  const hair = parts.find(({ word }) => word.kind === 'hair');
  const samples = hair === undefined ? null : await patches.samplesOf(id, hair.word.name);
  if (hair === undefined || samples === null) return null;
  const colors = colorsOf(samples, { max: 1, minShare: 0, exposure: look.exposure, name: nameHair });
  return { text: colored(nounOf(hair.word, look.language), colors, look.language), colors };
}

function overlapsOf(
  { id }: PersonDescription,
  persons: readonly PersonDescription[],
  patches: Patches,
): number[] {
  return persons.flatMap((other) =>
    id !== null && other.id !== null && other.id !== id && patches.touching.has(pairKey(id, other.id))
      ? [other.id]
      : [],
  );
}
