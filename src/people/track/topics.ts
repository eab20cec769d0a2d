/** Tracking for any number of cameras: each topic has people, zones and lines of its own. */
import type { Parsing, Person } from '../../parsing/types.ts';
import { type Standing, ZoneWatch } from '../zones/zone-watch.ts';
import { detectionsOf } from './detections.ts';
import { FrameClock, type FrameTime, warningsOf } from './frame-clock.ts';
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
  /** A frame is being taken. */
  isBusy: boolean;
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
    const detections = await detectionsOf(parsing, options.look);
    const known = this.#topic(topic);
    const forgotten = this.#forgetOldest();
    const { tracker, watch } = known;
    const frameTime = known.clock.take(given, tracker.time, now);
    const { time } = frameTime;
    const isLate = frameTime.order === 'late';
    const goneBefore = isLate ? [] : goneBeforehand(known, topic, frameTime, options);
    const cells = gridOf(parsing.width, parsing.height).height;
    known.isBusy = true;
    const update = tracker.update(detections, time, cells, options);
    const frame = await update.finally(() => (known.isBusy = false));
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

  /**
   * No frame has come for some time: everybody goes, and the next frame begins anew, whatever its time. While one is being
   * taken, nobody goes.
   * @param seconds since the last frame
   */
  silence(topic: string, seconds: number): TrackEvent[] {
    const known = this.#topics.get(topic);
    if (known?.tracker.time === undefined || known.isBusy) return [];
    return everybodyGone(known, topic, known.tracker.time + seconds * 1000);
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
  const [tracker, watch, clock] = [new Tracker(), new ZoneWatch(), new FrameClock()];
  return { tracker, watch, clock, warned: new Set(), isBusy: false };
}

/** Who goes before a frame is looked at: everybody where time begins anew, else those whose time is over. */
function goneBeforehand(
  known: Topic,
  topic: string,
  { time, order }: FrameTime,
  options: TrackOptions,
): TrackEvent[] {
  const { tracker, watch } = known;
  if (order === 'anew' && tracker.time !== undefined) return everybodyGone(known, topic, tracker.time);
  const gone = tracker.forget(time, options);
  const events = new Events(new People(tracker, watch, time), topic, time);
  events.addGone(gone, watch);
  return events.list;
}

/** @param time of the events, milliseconds */
function everybodyGone({ tracker, watch }: Topic, topic: string, time: number): TrackEvent[] {
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
