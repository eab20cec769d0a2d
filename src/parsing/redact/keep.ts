/** Who stays as they are while everybody else is hidden. */
import { namesInText, numberOrText } from '../options/option-table.ts';
import { badOption, isRecord, isWhole, MAX_NAMES } from '../options/options.ts';
import type { Parsing, Person } from '../types.ts';

/** A number that a track node gave; alone, or with the topic that it numbers: each topic is numbered from 1. */
type GivenTrack = number | { track: number; topic: string };

/**
 * As callers write it: "1, track 7, track 7 of yard, zone Entrance" (a number alone is an id), ids, or each kind as a list.
 */
export type GivenKeep =
  | string
  | readonly number[]
  | { ids?: readonly number[]; tracks?: readonly GivenTrack[]; zones?: readonly string[] };

/** Whoever meets one of them is kept. */
export interface KeepRule {
  ids: ReadonlySet<number>;
  /** Numbers that a track node gave, of whatever topic. */
  tracks: ReadonlySet<number>;
  /** Those of a topic, see {@link trackKey}. */
  topicTracks: ReadonlySet<string>;
  /** Names of zones that the person stands in, lower case. */
  zones: ReadonlySet<string>;
}

/** What a track node adds to a person. */
type TrackedPerson = Person & { track?: unknown; zones?: unknown };
type TrackedParsing = Parsing & { topic?: unknown };

const ALLOWED =
  'a text such as "1, track 7 of yard, zone Entrance", a list of ids, or an object with lists of ids, tracks and zones';

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
  if (!isNumbers(ids) || !isShortList(tracks) || !isNames(zones)) throw badOption(name, given, ALLOWED);
  const ofTopics = tracks.filter(isRecord);
  const alone = tracks.filter((track) => !isRecord(track));
  if (!isNumbers(alone) || !ofTopics.every(isTopicTrack)) throw badOption(name, given, ALLOWED);
  return {
    ids: new Set(ids),
    tracks: new Set(alone),
    topicTracks: new Set(ofTopics.map(({ track, topic }) => trackKey(track, topic))),
    zones: new Set(zones.map(zoneKey)),
  };
}

function isTopicTrack(value: Record<string, unknown>): value is { track: number; topic: string } {
  return isWhole(value['track'], 1, Number.MAX_SAFE_INTEGER) && typeof value['topic'] === 'string';
}

function trackKey(track: number, topic: string): string {
  return `${track} of ${topic}`;
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
    else if (kind.toLowerCase() === 'track') tracks.push(trackIn(value));
    else ids.push(numberOrText(value));
  }
  return { ids, tracks, zones };
}

/** "7", or "7 of yard". */
function trackIn(text: string): unknown {
  const [, number, topic] = /^(\d+)\s+of\s+(.+)$/i.exec(text) ?? [];
  return number === undefined ? numberOrText(text) : { track: numberOrText(number), topic };
}

/** The ids of those of a parsing that `rule` keeps, doubtful ones included. */
export function keptOf(
  { persons, doubtful, topic }: TrackedParsing,
  { ids, tracks, topicTracks, zones }: KeepRule,
): Set<number> {
  const all: TrackedPerson[] = [...persons, ...doubtful.persons];
  const ofTopic = typeof topic === 'string' ? topic : '';
  const kept = all.filter(
    ({ id, track, zones: within }) =>
      ids.has(id) ||
      (typeof track === 'number' && (tracks.has(track) || topicTracks.has(trackKey(track, ofTopic)))) ||
      (Array.isArray(within) && within.some((zone) => typeof zone === 'string' && zones.has(zoneKey(zone)))),
  );
  return new Set(kept.map(({ id }) => id));
}

/**
 * The parsing whose persons have the zones that a track node's state tells of them, where they have none of their own; the
 * parsing itself where there is none.
 * @param message whose payload may be such a state, or anything
 */
export function withZones(parsing: Parsing, message: { payload?: unknown }): Parsing {
  const zones = zonesIn(message);
  if (zones === undefined) return parsing;
  const zoned = (person: TrackedPerson): TrackedPerson =>
    person.zones === undefined && zones.has(person.id) ? { ...person, zones: zones.get(person.id) } : person;
  // What has lost its doubtful is refused, and must not get others here.
  const doubtful = parsing.doubtful && { ...parsing.doubtful, persons: parsing.doubtful.persons.map(zoned) };
  return { ...parsing, persons: parsing.persons.map(zoned), doubtful };
}

/** By the id of the person; undefined for what is no state, or cannot be read: nobody stands in a zone then. */
function zonesIn(message: { payload?: unknown }): Map<unknown, unknown> | undefined {
  try {
    const { payload: state } = message;
    if (!isRecord(state) || !isRecord(state['zones']) || !Array.isArray(state['persons'])) return undefined;
    return new Map(
      state['persons'].flatMap((person: unknown) =>
        isRecord(person) ? [[person['id'], person['zones']] as const] : [],
      ),
    );
  } catch {
    return undefined;
  }
}
