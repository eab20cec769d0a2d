/** Who is there and what has happened, as messages tell it. */
import type { ZoneEvent, ZoneWatch } from '../zones/zone-watch.ts';
import type { Track, Tracker } from './tracker.ts';
import type { TrackedPerson, TrackEvent } from './types.ts';

/** Who is there, as messages have it. */
export class People {
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
export class Events {
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
