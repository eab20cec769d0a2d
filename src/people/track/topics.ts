/** Tracking for any number of cameras: each topic has people, zones and lines of its own. */
import type { Parsing, Person } from '../../parsing/types.ts';
import { type Standing, type ZoneEvent, ZoneWatch } from '../zones/zone-watch.ts';
import { detectionsOf } from './detections.ts';
import { gridOf } from './grid.ts';
import type { TrackOptions } from './track-options.ts';
import { type Track, type TrackedFrame, Tracker } from './tracker.ts';
import type { TrackedParsing, TrackedPerson, TrackEvent, TrackState } from './types.ts';

/** Topics that are kept; that which had no frame for longest goes first. */
export const MAX_TOPICS = 64;

interface Topic {
  tracker: Tracker;
  watch: ZoneWatch;
  /** A frame is being taken. */
  isBusy: boolean;
}

/** What came of a frame. */
export interface Tracked {
  /** A copy: what came in is not written into. */
  parsing: TrackedParsing;
  state: TrackState;
  events: TrackEvent[];
}

export class Topics {
  readonly #topics = new Map<string, Topic>();

  get size(): number {
    return this.#topics.size;
  }

  /**
   * Takes a frame. One after the other, please: a frame's people are compared with those of the one before.
   * @param time milliseconds since 1970
   * @throws {M2fpError} `M2FP_NO_PARSING` where a mask of the parsing is damaged
   */
  async track(parsing: Parsing, topic: string, time: number, options: TrackOptions): Promise<Tracked> {
    const detections = await detectionsOf(parsing, options.look);
    const known = this.#topic(topic);
    const { tracker, watch } = known;
    const isLate = tracker.time !== undefined && time < tracker.time;
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
    return { parsing: numbered(parsing, frame), state, events: events.list };
  }

  /**
   * No frame has come for some time: everybody goes. While one is being taken, nobody does.
   * @param seconds since the last frame
   */
  silence(topic: string, seconds: number): TrackEvent[] {
    const known = this.#topics.get(topic);
    if (known?.tracker.time === undefined || known.isBusy) return [];
    const { tracker, watch } = known;
    const time = tracker.time! + seconds * 1000;
    const gone = tracker.clear();
    const events = new Events(new People(tracker, watch, time), topic, time);
    events.addGone(gone, watch);
    return events.list;
  }

  /** Forgets everything of a topic, or of all: numbers begin from 1 again. */
  reset(topic?: string): void {
    if (topic === undefined) this.#topics.clear();
    else this.#topics.delete(topic);
  }

  #topic(name: string): Topic {
    const known = this.#topics.get(name) ?? { tracker: new Tracker(), watch: new ZoneWatch(), isBusy: false };
    // The one that was used last is at the end.
    this.#topics.delete(name);
    this.#topics.set(name, known);
    if (this.#topics.size > MAX_TOPICS) this.#topics.delete(this.#topics.keys().next().value!);
    return known;
  }
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

/** Who is there, as messages have it. */
class People {
  readonly #tracker: Tracker;
  readonly #watch: ZoneWatch;
  readonly #time: number;
  readonly #shown: ReadonlySet<Track | undefined>;

  /** @param shown those whom the picture shows */
  constructor(tracker: Tracker, watch: ZoneWatch, time: number, shown: readonly (Track | undefined)[] = []) {
    this.#tracker = tracker;
    this.#watch = watch;
    this.#time = time;
    this.#shown = new Set(shown);
  }

  get count(): number {
    return this.#tracker.tracks.filter(({ number }) => number !== null).length;
  }

  byNumber(number: number): Track | undefined {
    return this.#tracker.tracks.find((track) => track.number === number);
  }

  all(): TrackedPerson[] {
    return this.#tracker.tracks
      .filter(({ number }) => number !== null)
      .toSorted((a, b) => a.number! - b.number!)
      .map((track) => this.describe(track));
  }

  describe(track: Track): TrackedPerson {
    const { number, detection, since, seen } = track;
    const { id, score, box, description } = detection;
    const hidden = !this.#shown.has(track);
    return {
      track: number!,
      id: hidden ? null : id,
      hidden,
      score: Math.round(score * 10_000) / 10_000,
      box: { ...box },
      since,
      seen,
      age: Math.round((this.#time - since) / 100) / 10,
      zones: this.#watch.zonesOf(number!),
      ...(description !== undefined && { description }),
    };
  }
}

/** The events of a frame, in their order. */
class Events {
  readonly list: TrackEvent[] = [];
  readonly #people: People;
  readonly #topic: string;
  readonly #time: number;

  constructor(people: People, topic: string, time: number) {
    this.#people = people;
    this.#topic = topic;
    this.#time = time;
  }

  add(event: TrackEvent['event'], track: Track, more: Partial<TrackEvent> = {}): void {
    const { topic, time, count } = { topic: this.#topic, time: this.#time, count: this.#people.count };
    const person = this.#people.describe(track);
    this.list.push({ event, track: track.number!, topic, time, count, ...more, person });
  }

  addZone({ event, track, ...more }: ZoneEvent): void {
    const found = this.#people.byNumber(track);
    if (found !== undefined) this.add(event, found, more);
  }

  /** Who goes leaves the zones first. */
  addGone(gone: readonly Track[], watch: ZoneWatch): void {
    for (const track of gone) {
      for (const { event, track: _number, ...more } of watch.gone(track.number!))
        this.add(event, track, more);
      this.add('gone', track, { duration: (track.seen - track.since) / 1000 });
    }
  }
}
