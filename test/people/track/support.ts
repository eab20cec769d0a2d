/** Drawn people for tracking. */
import { type GivenOptions, readOptions } from '../../../src/parsing/options/option-table.ts';
import type { Parsing } from '../../../src/parsing/types.ts';
import { Topics } from '../../../src/people/track/topics.ts';
import { TRACK_OPTIONS } from '../../../src/people/track/track-options.ts';
import type { TrackEvent } from '../../../src/people/track/types.ts';
import { FakeClock } from '../../engine/support/fakes.ts';
import { painted, type Painted, type Rectangle } from '../describe/support.ts';

export const START = Date.parse('2026-11-30T08:00:00Z');
export const COLORS = ['#c01c20', '#2040c0', '#208040'];

/** Somebody at a place, in a coat of a colour. */
export interface Someone {
  at: Rectangle;
  color?: string;
  score?: number;
}

export function pictureOf(
  people: Someone[],
  width = 160,
  height = 90,
  more: Partial<Parsing> = {},
): Promise<Parsing> {
  const parts = people.map(({ at: [x, y, w, h], color = COLORS[0]! }, index): Painted => ({
    label: 'Coat',
    at: [x, y, w, h],
    color,
    person: index + 1,
  }));
  return painted({ width, height, persons: people, parts }).then((parsing) => ({ ...parsing, ...more }));
}

export const at = (x: number, color = COLORS[0]!): Someone => ({ at: [x, 20, 20, 60], color });

/** Topics that have seen nobody yet. */
export class Tracking {
  readonly clock = new FakeClock();
  readonly topics = new Topics(this.clock);

  /** Lets seconds pass without a picture. */
  pass(seconds: number): TrackEvent[] {
    this.clock.advance(seconds * 1000);
    return this.topics.wake();
  }

  /** Tracks a picture so many seconds after the start. */
  track(
    parsing: Parsing,
    second: number,
    given: GivenOptions<typeof TRACK_OPTIONS> = {},
    topic = 'yard',
  ): ReturnType<Topics['track']> {
    return this.topics.track(parsing, topic, START + second * 1000, readOptions(TRACK_OPTIONS, given));
  }
}

/** The persons' tracks, in their order. */
export function numbers({
  parsing,
}: {
  parsing: { persons: { track: number | null }[] };
}): (number | null)[] {
  return parsing.persons.map((person) => person.track);
}

/** Events as `new 1`. */
export function named({ events }: { events: { event: string; track: number }[] }): string[] {
  return events.map(({ event, track }) => `${event} ${track}`);
}
