/** What tracking tells of people. Plain data: it travels in messages. Times are milliseconds since 1970. */
import type { Box, Parsing, Person } from '../../parsing/types.ts';

/** A person of a parsing with the number that stays. */
export interface NumberedPerson extends Person {
  /** From 1, the same from frame to frame; null where it is not known yet, see the option `confirm`. */
  track: number | null;
}

/** A parsing whose persons have numbers. */
export type TrackedParsing = Omit<Parsing, 'persons' | 'doubtful'> & {
  persons: NumberedPerson[];
  /** Absent where the parsing has none, as in what an older version stored. */
  doubtful?: { persons: NumberedPerson[]; parts: Parsing['doubtful']['parts'] };
};

/** Somebody who is there, in the state and in events. */
export interface TrackedPerson {
  track: number;
  /** In `persons` of this parsing; null for somebody who is hidden just now, and for models of a single human. */
  id: number | null;
  /** Whether this picture does not show the person, who is not gone yet. */
  hidden: boolean;
  score: number;
  /** Where the person was seen last, pixels. */
  box: Box;
  /** When the person was seen first, and last. */
  since: number;
  seen: number;
  /** Seconds from `since` to this picture. */
  age: number;
  /** Names of the zones that the person stands in. */
  zones: string[];
  /** What a describe node before has said of the person. */
  description?: unknown;
}

export interface ZoneState {
  /** People who stand in it. */
  inside: number;
  /** How often somebody has come in and gone out since tracking began. */
  entered: number;
  left: number;
  /** Seconds that who is longest in it has been there; 0 where nobody is. */
  dwell: number;
}

export interface LineState {
  /** How often somebody has crossed it, with the arrow and against it. */
  in: number;
  out: number;
}

/** Who is there, of one topic. */
export interface TrackState {
  /** Of this picture. */
  time: number;
  /** Whether the picture was older than one before, by a clock that was not set back: then nothing was learned from it. */
  late: boolean;
  persons: TrackedPerson[];
  /** Of `persons`. */
  count: number;
  zones: Record<string, ZoneState>;
  lines: Record<string, LineState>;
}

export interface TrackEvent {
  event: 'new' | 'update' | 'gone' | 'enter' | 'leave' | 'dwell' | 'cross';
  track: number;
  topic: string;
  time: number;
  /** People who are there after it. */
  count: number;
  /** Of enter, leave and dwell, with how many stand in it after that. */
  zone?: string;
  inside?: number;
  /** Of cross. */
  line?: string;
  direction?: 'in' | 'out';
  /** Seconds: of leave and dwell in the zone, of gone from first to last seen. */
  duration?: number;
  person: TrackedPerson;
}
