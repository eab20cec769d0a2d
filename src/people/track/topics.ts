/** Tracking for any number of cameras: each topic has people, zones and lines of its own. */
import { type Clock, systemClock } from '../../clock.ts';
import type { Parsing, Person } from '../../parsing/types.ts';
import { type Standing, ZoneWatch } from '../zones/zone-watch.ts';
import { detectionsOf } from './detections.ts';
import { FrameClock, type FrameTime, warningsOf } from './frame-clock.ts';
import { FramePace } from './frame-pace.ts';
import { gridOf } from './grid.ts';
import { Events, People } from './telling.ts';
import type { TrackOptions } from './track-options.ts';
import { type TrackedFrame, Tracker } from './tracker.ts';
import type { TrackedParsing, TrackEvent, TrackState } from './types.ts';

/** Topics that are kept; that which had no frame for longest goes first, with everybody in it. */
export const MAX_TOPICS = 64;

interface Topic {
  tracker: Tracker;
  watch: ZoneWatch;
  clock: FrameClock;
  /** What the log has been told of its times: each once. */
  warned: Set<string>;
  pace: FramePace;
  /** Of the last frame: by them people go where no more frames come. Undefined before the first. */
  options: TrackOptions | undefined;
  /** When the last frame was done with, late ones included, milliseconds of the clock. */
  arrived: number;
}

/** What happens where no frame comes before. */
interface Due {
  /** Milliseconds of the clock. */
  at: number;
  happen: () => TrackEvent[];
}

/** What came of a frame. */
export interface Tracked {
  /** A copy: what came in is not written into. */
  parsing: TrackedParsing;
  state: TrackState;
  /** Of this topic, and of one that was forgotten for it. */
  events: TrackEvent[];
  /** What is wrong with the times of the topic's frames, for the log. */
  warnings: string[];
}

export class Topics {
  readonly #topics = new Map<string, Topic>();
  /** Topics of which a frame is being taken: nobody goes meanwhile. */
  readonly #busy = new Set<string>();
  readonly #clock: Clock;

  constructor(clock: Clock = systemClock) {
    this.#clock = clock;
  }

  get size(): number {
    return this.#topics.size;
  }

  /**
   * Takes a frame. One after the other, please: a frame's people are compared with those of the one before.
   * @param given when it was taken, milliseconds since 1970
   * @param now when it arrived
   * @throws {M2fpError} `M2FP_NO_PARSING` where a mask of the parsing is damaged
   */
  async track(
    parsing: Parsing,
    topic: string,
    given: number,
    options: TrackOptions,
    now = Date.now(),
  ): Promise<Tracked> {
    this.#busy.add(topic);
    try {
      return await this.#take(parsing, topic, given, options, now);
    } finally {
      this.#busy.delete(topic);
    }
  }

  async #take(
    parsing: Parsing,
    topic: string,
    given: number,
    options: TrackOptions,
    now: number,
  ): Promise<Tracked> {
    const detections = await detectionsOf(parsing, options.look);
    const known = this.#topic(topic);
    const forgotten = this.#forgetOldest();
    const { tracker, watch } = known;
    const frameTime = known.clock.take(given, tracker.time, now);
    const { time } = frameTime;
    const isLate = frameTime.order === 'late';
    const goneBefore = isLate ? [] : goneBeforehand(known, topic, frameTime, options);
    const cells = gridOf(parsing.width, parsing.height).height;
    const frame = await tracker.update(detections, time, cells, options);
    known.options = options;
    known.arrived = this.#clock.now();
    if (!isLate) known.pace.take(time, known.arrived);
    const here = isLate ? [] : standing(frame, parsing.height);
    const inZones = isLate ? [] : watch.update(options.zones, here, parsing, time, options);
    const people = new People(tracker, watch, tracker.time!, frame.tracks);
    const events = new Events(people, topic, time);
    for (const track of frame.confirmed) events.add('new', track);
    for (const event of inZones) events.addZone(event);
    if (options.updates && !isLate)
      for (const { track } of here) events.add('update', people.byNumber(track)!);
    events.addGone(frame.gone, watch);
    const state: TrackState = {
      time,
      late: isLate,
      persons: people.all(),
      count: people.count,
      ...watch.state(tracker.time!),
    };
    return {
      parsing: numbered(parsing, frame),
      state,
      events: [...forgotten, ...goneBefore, ...events.list],
      warnings: warningsOf(frameTime, given, topic, known.warned),
    };
  }

  /** Milliseconds after which to {@link wake}, if no frame comes before; undefined where there is nothing to wait for. */
  wait(): number | undefined {
    const moments = [...this.#dues()].map(({ at }) => at);
    return moments.length === 0 ? undefined : Math.max(0, Math.min(...moments) - this.#clock.now());
  }

  /**
   * Time has passed without frames. Whoever two frames have missed goes when that is due, and everybody after a silence; the
   * next frame begins anew then, whatever its time. One thing of each topic at a time, so that many hold up nobody.
   */
  wake(): TrackEvent[] {
    const now = this.#clock.now();
    return [...this.#dues()].flatMap(({ at, happen }) => (at <= now ? happen() : []));
  }

  *#dues(): Generator<Due> {
    for (const [name, known] of this.#topics) {
      const due = this.#busy.has(name) ? undefined : dueOf(known, name);
      if (due !== undefined) yield due;
    }
  }

  /** Forgets everything of a topic, or of all: numbers begin from 1 again. */
  reset(topic?: string): void {
    if (topic === undefined) this.#topics.clear();
    else this.#topics.delete(topic);
  }

  #topic(name: string): Topic {
    const known = this.#topics.get(name) ?? newTopic();
    // The one that was used last is at the end.
    this.#topics.delete(name);
    this.#topics.set(name, known);
    return known;
  }

  /** @returns who is gone with a topic that is one too many, when its last frame came */
  #forgetOldest(): TrackEvent[] {
    const [oldest] = this.#topics;
    if (oldest === undefined || this.#topics.size <= MAX_TOPICS) return [];
    const [name, known] = oldest;
    this.#topics.delete(name);
    return known.tracker.time === undefined ? [] : everybodyGone(known, name, known.tracker.time);
  }
}

function newTopic(): Topic {
  const [tracker, watch, clock, pace] = [new Tracker(), new ZoneWatch(), new FrameClock(), new FramePace()];
  return { tracker, watch, clock, pace, warned: new Set(), options: undefined, arrived: 0 };
}

/** What comes first of a topic; undefined where nothing does. */
function dueOf(known: Topic, topic: string): Due | undefined {
  const { tracker, options, arrived, pace } = known;
  const { time } = tracker;
  if (time === undefined || options === undefined) return undefined;
  const silence = options.silence * 1000;
  const quiet = silence === 0 ? Infinity : arrived + silence;
  const end = tracker.nextEnd(options);
  const missed = end === Infinity ? Infinity : pace.momentOf(end);
  if (Math.min(quiet, missed) === Infinity) return undefined;
  return quiet <= missed
    ? { at: quiet, happen: () => everybodyGone(known, topic, time + silence) }
    : { at: missed, happen: () => goneBy(known, topic, end, options) };
}

/** Who goes before a frame is looked at: everybody where time begins anew, else those whose time is over. */
function goneBeforehand(
  known: Topic,
  topic: string,
  { time, order }: FrameTime,
  options: TrackOptions,
): TrackEvent[] {
  const { tracker } = known;
  if (order === 'anew' && tracker.time !== undefined) return everybodyGone(known, topic, tracker.time);
  return goneBy(known, topic, time, options);
}

/** Those go whose time is over. @param time of the events, milliseconds */
function goneBy({ tracker, watch }: Topic, topic: string, time: number, options: TrackOptions): TrackEvent[] {
  const gone = tracker.forget(time, options);
  const events = new Events(new People(tracker, watch, time), topic, time);
  events.addGone(gone, watch);
  return events.list;
}

/** @param time of the events, milliseconds */
function everybodyGone(known: Topic, topic: string, time: number): TrackEvent[] {
  const { tracker, watch } = known;
  known.pace = new FramePace();
  const gone = tracker.clear();
  const events = new Events(new People(tracker, watch, time), topic, time);
  events.addGone(gone, watch);
  return events.list;
}

/** Those who have a number and are seen in the frame. */
function standing({ tracks }: TrackedFrame, height: number): Standing[] {
  return tracks.flatMap((track) =>
    track === undefined || track.number === null
      ? []
      : [{ track: track.number, feet: track.detection.feet, height: track.detection.place.height * height }],
  );
}

/** A parsing with the numbers of its persons. Without the doubtful it stays without: nobody knows whom it does not name. */
function numbered(parsing: Parsing, { tracks }: TrackedFrame): TrackedParsing {
  const { persons, doubtful, ...rest } = parsing;
  const numbersFrom = (list: readonly Person[], offset: number) =>
    list.map((person, index) => ({ ...person, track: tracks[offset + index]?.number ?? null }));
  return {
    ...rest,
    persons: numbersFrom(persons, 0),
    ...(doubtful && {
      doubtful: { ...doubtful, persons: numbersFrom(doubtful.persons, persons.length) },
    }),
  };
}
