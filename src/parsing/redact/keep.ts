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
  /** Names of zones that the person stands in, letter by letter: another case is another zone. */
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
    zones: new Set(zones),
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

/** The topic of a tracked parsing, '' where it has none; undefined for what can be nobody's topic. */
export function topicName(topic: unknown): string | undefined {
  if (topic === undefined) return '';
  return typeof topic === 'number' ? String(topic) : typeof topic === 'string' ? topic : undefined;
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
