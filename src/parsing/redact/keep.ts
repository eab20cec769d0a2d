/** Who stays as they are while everybody else is hidden. */
import { namesInText, numberOrText } from '../options/option-table.ts';
import { badOption, isRecord, isWhole, MAX_NAMES } from '../options/options.ts';
import type { Parsing, Person } from '../types.ts';

/** As callers write it: "1, track 7, zone Entrance" (a number alone is an id), ids, or each kind as a list. */
export type GivenKeep =
  | string
  | readonly number[]
  | { ids?: readonly number[]; tracks?: readonly number[]; zones?: readonly string[] };

/** Whoever meets one of them is kept. */
export interface KeepRule {
  ids: ReadonlySet<number>;
  /** Numbers that a track node gave. */
  tracks: ReadonlySet<number>;
  /** Names of zones that the person stands in, lower case. */
  zones: ReadonlySet<string>;
}

/** What a track node adds to a person. */
type TrackedPerson = Person & { track?: unknown; zones?: unknown };

const ALLOWED =
  'a text such as "1, track 7, zone Entrance", a list of ids, or an object with lists of ids, tracks and zones';

/** Null where nothing was given; an empty list keeps nobody. @throws {M2fpError} `M2FP_BAD_OPTION` */
export function readKeep(name: string, given: unknown): KeepRule | null {
  if (given === undefined || given === null) return null;
  const listed = typeof given === 'string' ? entriesOf(given) : Array.isArray(given) ? { ids: given } : given;
  if (!isRecord(listed) || Object.keys(listed).some((kind) => !['ids', 'tracks', 'zones'].includes(kind)))
    throw badOption(name, given, ALLOWED);
  const { ids = [], tracks = [], zones = [] } = listed;
  const isNumbers = (list: unknown): list is number[] =>
    isShortList(list) && list.every((value) => isWhole(value, 1, Number.MAX_SAFE_INTEGER));
  const isNames = (list: unknown): list is string[] =>
    isShortList(list) && list.every((value) => typeof value === 'string');
  if (!isNumbers(ids) || !isNumbers(tracks) || !isNames(zones)) throw badOption(name, given, ALLOWED);
  return { ids: new Set(ids), tracks: new Set(tracks), zones: new Set(zones.map(zoneKey)) };
}

function isShortList(list: unknown): list is unknown[] {
  return Array.isArray(list) && list.length <= MAX_NAMES;
}

function zoneKey(name: string): string {
  return name.trim().toLowerCase();
}

/** What no number is stays the text that it is, and is refused as that. */
function entriesOf(text: string): { ids: unknown[]; tracks: unknown[]; zones: string[] } {
  const ids: unknown[] = [];
  const tracks: unknown[] = [];
  const zones: string[] = [];
  for (const entry of namesInText(text)) {
    const [, kind = 'id', value = entry] = /^(id|track|zone)\s+(.+)$/i.exec(entry) ?? [];
    if (kind.toLowerCase() === 'zone') zones.push(value);
    else (kind.toLowerCase() === 'track' ? tracks : ids).push(numberOrText(value));
  }
  return { ids, tracks, zones };
}

/** The ids of those of a parsing that `rule` keeps, doubtful ones included. */
export function keptOf({ persons, doubtful }: Parsing, { ids, tracks, zones }: KeepRule): Set<number> {
  const all: TrackedPerson[] = [...persons, ...doubtful.persons];
  const kept = all.filter(
    ({ id, track, zones: within }) =>
      ids.has(id) ||
      (typeof track === 'number' && tracks.has(track)) ||
      (Array.isArray(within) && within.some((zone) => typeof zone === 'string' && zones.has(zoneKey(zone)))),
  );
  return new Set(kept.map(({ id }) => id));
}

/**
 * The parsing whose persons have the zones that a track node's state tells of them, where they have none of their own; the
 * parsing itself where `state` is none.
 * @param state anything, such as a message's payload
 */
export function withZones(parsing: Parsing, state: unknown): Parsing {
  if (!isRecord(state) || !isRecord(state['zones']) || !Array.isArray(state['persons'])) return parsing;
  const zones = new Map<unknown, unknown>(
    state['persons'].flatMap((person: unknown) =>
      isRecord(person) ? [[person['id'], person['zones']] as const] : [],
    ),
  );
  const zoned = (person: TrackedPerson): TrackedPerson =>
    person.zones === undefined && zones.has(person.id) ? { ...person, zones: zones.get(person.id) } : person;
  // What has lost its doubtful is refused, and must not get others here.
  const doubtful = parsing.doubtful && { ...parsing.doubtful, persons: parsing.doubtful.persons.map(zoned) };
  return { ...parsing, persons: parsing.persons.map(zoned), doubtful };
}
