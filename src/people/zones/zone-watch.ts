/** Who stands in which zone, and who crosses which line. */
import type { Area } from './areas.ts';
import type { Feet } from './feet.ts';
import { crosses, depthIn, type Pixel, sideOf } from './geometry.ts';

/** Somebody in a frame. */
export interface Standing {
  track: number;
  feet: Feet;
  /** Of the person's box, pixels: margins are shares of it. */
  height: number;
}

/** What somebody has done. */
export type ZoneEvent = { track: number } & (
  | { event: 'enter'; zone: string; inside: number }
  | { event: 'leave' | 'dwell'; zone: string; inside: number; duration: number }
  | { event: 'cross'; line: string; direction: 'in' | 'out' }
);

export interface ZoneOptions {
  /** Share of the person's height by which feet must be beyond an edge to have crossed it. */
  margin: number;
  /** Seconds in a zone after which there is an event; 0: none. */
  dwell: number;
}

/** A stay of somebody in a zone, times in milliseconds. */
interface Stay {
  since: number;
  /** When the person was seen in it last. */
  seen: number;
  hasDwelt: boolean;
}

interface Zone {
  stays: Map<number, Stay>;
  entered: number;
  left: number;
}

interface Line {
  /** Where somebody was last seen clearly on a side of it: -1 or 1. */
  sides: Map<number, { side: number; feet: Feet }>;
  in: number;
  out: number;
}

/**
 * The zones and lines of one camera. Who has come into a zone has left it only when the feet are a margin outside, and a line
 * is crossed only when they are a margin behind it, so that what flickers at an edge makes no events.
 */
export class ZoneWatch {
  readonly #zones = new Map<string, Zone>();
  readonly #lines = new Map<string, Line>();

  /**
   * Takes a frame.
   * @param picture its size, pixels
   * @param time milliseconds
   */
  update(
    areas: readonly Area[],
    people: readonly Standing[],
    picture: { width: number; height: number },
    time: number,
    options: ZoneOptions,
  ): ZoneEvent[] {
    const left = this.#keep(areas);
    const events = areas.flatMap(({ name, kind, points }) => {
      const pixels = points.map(([x, y]): Pixel => ({ x: x * picture.width, y: y * picture.height }));
      return kind === 'line'
        ? this.#atLine(name, pixels, people, options)
        : this.#inZone(name, pixels, people, time, options);
    });
    return [...left, ...events];
  }

  /** Somebody is gone. @returns the zones that he has left by that, when he was seen there last */
  gone(track: number): ZoneEvent[] {
    for (const { sides } of this.#lines.values()) sides.delete(track);
    return [...this.#zones].flatMap(([name, zone]) => {
      const stay = zone.stays.get(track);
      return stay === undefined ? [] : [leave(name, zone, track, stay)];
    });
  }

  /** Names of the zones that somebody stands in. */
  zonesOf(track: number): string[] {
    return [...this.#zones].filter(([, { stays }]) => stays.has(track)).map(([name]) => name);
  }

  /** @param time milliseconds, for how long somebody has been in a zone */
  state(time: number): {
    zones: Record<string, { inside: number; entered: number; left: number; dwell: number }>;
    lines: Record<string, { in: number; out: number }>;
  } {
    const zones = [...this.#zones].map(([name, { stays, entered, left }]) => {
      const longest = Math.max(0, ...[...stays.values()].map(({ since }) => time - since));
      return [name, { inside: stays.size, entered, left, dwell: longest / 1000 }] as const;
    });
    const lines = [...this.#lines].map(([name, line]) => [name, { in: line.in, out: line.out }] as const);
    return { zones: Object.fromEntries(zones), lines: Object.fromEntries(lines) };
  }

  /** Areas come and go with the form. @returns that who was in a zone which is no more has left it, so that counts come out */
  #keep(areas: readonly Area[]): ZoneEvent[] {
    const namesOf = (kind: Area['kind']): string[] =>
      areas.filter((area) => area.kind === kind).map(({ name }) => name);
    const zones = namesOf('zone');
    const left = [...this.#zones].flatMap(([name, zone]) =>
      zones.includes(name) ? [] : [...zone.stays].map(([track, stay]) => leave(name, zone, track, stay)),
    );
    keepOnly(this.#zones, zones, () => ({ stays: new Map(), entered: 0, left: 0 }));
    keepOnly(this.#lines, namesOf('line'), () => ({ sides: new Map(), in: 0, out: 0 }));
    return left;
  }

  #inZone(
    name: string,
    polygon: readonly Pixel[],
    people: readonly Standing[],
    time: number,
    { margin, dwell }: ZoneOptions,
  ): ZoneEvent[] {
    const zone = this.#zones.get(name)!;
    const events: ZoneEvent[] = [];
    for (const { track, feet, height } of people) {
      const depth = depthIn(polygon, feet);
      const stay = zone.stays.get(track);
      if (stay === undefined && depth >= 0) {
        zone.stays.set(track, { since: time, seen: time, hasDwelt: false });
        zone.entered++;
        events.push({ event: 'enter', track, zone: name, inside: zone.stays.size });
      } else if (stay !== undefined && depth < -margin * height) {
        stay.seen = time;
        events.push(leave(name, zone, track, stay));
      } else if (stay !== undefined) stay.seen = time;
    }
    for (const [track, stay] of zone.stays) {
      const duration = (time - stay.since) / 1000;
      if (dwell === 0 || stay.hasDwelt || duration < dwell) continue;
      stay.hasDwelt = true;
      events.push({ event: 'dwell', track, zone: name, duration, inside: zone.stays.size });
    }
    return events;
  }

  #atLine(
    name: string,
    [a, b]: readonly Pixel[],
    people: readonly Standing[],
    { margin }: ZoneOptions,
  ): ZoneEvent[] {
    const line = this.#lines.get(name)!;
    const events: ZoneEvent[] = [];
    for (const { track, feet, height } of people) {
      const distance = sideOf(a!, b!, feet);
      const before = line.sides.get(track);
      const side = Math.sign(distance);
      if (side === 0 || (before !== undefined && Math.abs(distance) < margin * height)) continue;
      line.sides.set(track, { side, feet });
      // Round its end is not across it.
      if (before === undefined || before.side === side || !crosses(a!, b!, before.feet, feet)) continue;
      const direction = side > 0 ? 'in' : 'out';
      line[direction]++;
      events.push({ event: 'cross', track, line: name, direction });
    }
    return events;
  }
}

function leave(name: string, zone: Zone, track: number, { since, seen }: Stay): ZoneEvent {
  zone.stays.delete(track);
  zone.left++;
  return { event: 'leave', track, zone: name, duration: (seen - since) / 1000, inside: zone.stays.size };
}

function keepOnly<T>(map: Map<string, T>, names: readonly string[], make: () => T): void {
  for (const name of map.keys()) if (!names.includes(name)) map.delete(name);
  for (const name of names) if (!map.has(name)) map.set(name, make());
}
