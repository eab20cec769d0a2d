/** Who stays as they are while everybody else is hidden. */
import { badOption, isRecord, isWhole, MAX_NAMES } from '../options/options.ts';
import type { Parsing, Person } from '../types.ts';
import { keepEntries } from './keep-text.ts';

/** A number that a track node gave; alone, or with the topic that it numbers: each topic is numbered from 1. */
type GivenTrack = number | { track: number; topic: GivenName };

/** Numbers count as their texts, as topics of track nodes do. */
type GivenName = string | number;

/**
 * As callers write it: a text (see {@link keepEntries}; a number alone is an id), ids, or each kind as a list.
 */
export type GivenKeep =
  | string
  | readonly number[]
  | { ids?: readonly number[]; tracks?: readonly GivenTrack[]; zones?: readonly GivenName[] };

/** Whoever meets one of them is kept. */
export interface KeepRule {
  ids: ReadonlySet<number>;
  /** Numbers that a track node gave, of whatever topic. */
  tracks: ReadonlySet<number>;
  /** Those of a topic, see {@link trackKey}. */
  topicTracks: ReadonlySet<string>;
  /** Names of zones that the person stands in, letter by letter: another case is another zone. */
  zones: ReadonlySet<string>;
}

/** What a track node adds to a person. */
type TrackedPerson = Person & { track?: unknown; zones?: unknown };
type TrackedParsing = Parsing & { topic?: unknown };

const ALLOWED =
  'a text such as "1, track 7 of yard, zone Entrance" (names with commas in quotes: zone "Door, left"), a list of ids, or an ' +
  'object with lists of ids, tracks and zones';

/** Null where nothing was given; an empty list keeps nobody. @throws {M2fpError} `M2FP_BAD_OPTION` */
export function readKeep(name: string, given: unknown): KeepRule | null {
  if (given === undefined || given === null) return null;
  const listed =
    typeof given === 'string' ? keepEntries(given) : Array.isArray(given) ? { ids: given } : given;
  if (!isRecord(listed) || Object.keys(listed).some((kind) => !['ids', 'tracks', 'zones'].includes(kind)))
    throw badOption(name, given, ALLOWED);
  const { ids = [], tracks = [], zones = [] } = listed;
  const isNumbers = (list: unknown): list is number[] =>
    isShortList(list) && list.every((value) => isWhole(value, 1, Number.MAX_SAFE_INTEGER));
  const isNames = (list: unknown): list is GivenName[] => isShortList(list) && list.every(isName);
  if (!isNumbers(ids) || !isShortList(tracks) || !isNames(zones)) throw badOption(name, given, ALLOWED);
  const ofTopics = tracks.filter(isRecord);
  const alone = tracks.filter((track) => !isRecord(track));
  if (!isNumbers(alone) || !ofTopics.every(isTopicTrack)) throw badOption(name, given, ALLOWED);
  return {
    ids: new Set(ids),
    tracks: new Set(alone),
    topicTracks: new Set(ofTopics.map(({ track, topic }) => trackKey(track, topic))),
    zones: new Set(zones.map(String)),
  };
}

function isTopicTrack(value: Record<string, unknown>): value is { track: number; topic: GivenName } {
  return isWhole(value['track'], 1, Number.MAX_SAFE_INTEGER) && isName(value['topic']);
}

function isName(value: unknown): value is GivenName {
  return typeof value === 'string' || typeof value === 'number';
}

function trackKey(track: number, topic: GivenName): string {
  return `${track} of ${topic}`;
}

function isShortList(list: unknown): list is unknown[] {
  return Array.isArray(list) && list.length <= MAX_NAMES;
}

/** The topic of a tracked parsing, '' where it has none; undefined for what can be nobody's topic. */
export function topicName(topic: unknown): string | undefined {
  if (topic === undefined) return '';
  return isName(topic) ? String(topic) : undefined;
}

/** The ids of those of a parsing that `rule` keeps, doubtful ones included. */
export function keptOf(
  { persons, doubtful, topic }: TrackedParsing,
  { ids, tracks, topicTracks, zones }: KeepRule,
): Set<number> {
  const all: TrackedPerson[] = [...persons, ...doubtful.persons];
  const named = topicName(topic);
  const kept = all.filter(
    ({ id, track, zones: within }) =>
      ids.has(id) ||
      (typeof track === 'number' &&
        (tracks.has(track) || (named !== undefined && topicTracks.has(trackKey(track, named))))) ||
      (Array.isArray(within) && within.some((zone) => typeof zone === 'string' && zones.has(zone))),
  );
  return new Set(kept.map(({ id }) => id));
}
