/**
 * Persons of one camera keep their number. Each frame, those who are seen are assigned to those who were: first the sure ones,
 * by where they are, the shape of their masks and how they look, then the doubtful by place alone (Y. Zhang et al.,
 * "ByteTrack: Multi-Object Tracking by Associating Every Detection Box", 2022).
 */
import { turns } from '../../image/slices.ts';
import { assignInTurns } from './assignment.ts';
import { costOf, type Known, overlapCostOf } from './affinity.ts';
import type { Detection } from './detections.ts';
import { learned, type Look } from './look.ts';
import { Motion } from './motion.ts';
import type { TrackOptions } from './track-options.ts';

/** Pairs that cost more are none. */
const MAX_COST = 0.92;
/** People of one camera that are kept, seen or not; those who have not been seen for longest go first. */
export const MAX_TRACKS = 512;

/** Somebody who was seen. */
export interface Track {
  /** From 1; null until it is confirmed. */
  number: number | null;
  /** Frames in which it was seen for sure. */
  hits: number;
  /** Frames since then in which it was not. */
  missed: number;
  /** Milliseconds. */
  since: number;
  seen: number;
  /** As it was seen last. */
  detection: Detection;
  look: Look | null;
  motion: Motion;
}

/** What a frame has changed. */
export interface TrackedFrame {
  /** Whose each detection is; undefined for a doubtful one who is nobody known. */
  tracks: (Track | undefined)[];
  /** Those who have got their number just now. */
  confirmed: Track[];
  /** Those who are gone. They had a number. */
  gone: Track[];
}

export class Tracker {
  readonly tracks: Track[] = [];
  #next = 1;
  /** Frames come at their own times, milliseconds; undefined before the first, and when all have gone. */
  #time: number | undefined;

  get time(): number | undefined {
    return this.#time;
  }

  /**
   * Takes a frame, one after the other. One that is older than the newest teaches nothing: its people get the numbers that
   * fit. Hundreds of people take a while, in which others get their turn.
   * @param time milliseconds
   * @param cells of the grid in a height of the picture
   */
  async update(
    detections: readonly Detection[],
    time: number,
    cells: number,
    options: TrackOptions,
  ): Promise<TrackedFrame> {
    const isLate = this.#time !== undefined && time < this.#time;
    const isSure = ({ doubtful, score }: Detection): boolean => !doubtful && score >= options.minScore;
    const tracks = await this.#associate(detections, isSure, isLate ? this.#time! : time, cells);
    if (isLate) return { tracks, confirmed: [], gone: [] };
    this.#time = time;
    const confirmed: Track[] = [];
    for (const track of this.tracks) track.missed++;
    detections.forEach((detection, index) => {
      let track = tracks[index];
      if (track !== undefined) this.#learn(track, detection, isSure(detection), time);
      else if (isSure(detection)) {
        track = this.#begin(detection, time);
        tracks[index] = track;
      }
      if (track?.number === null && track.hits >= options.confirm) {
        track.number = this.#next++;
        confirmed.push(track);
      }
    });
    return { tracks, confirmed, gone: this.forget(time, options) };
  }

  /**
   * Lets those go who have not been seen for too long: when a frame has been taken; before it is, as somebody in it is not
   * who went while no frames came; and at {@link nextEnd}.
   * @param time milliseconds
   * @returns those who had a number
   */
  forget(time: number, options: TrackOptions): Track[] {
    const { goneAfter, goneIn } = options;
    const isOver = (track: Track): boolean => {
      const { missed, number } = track;
      // Who was seen in a single frame, and was not confirmed, was nobody.
      if (missed > 0 && number === null) return true;
      if (goneIn === 'frames') return missed > 0 && missed >= goneAfter;
      return endOf(track, options) <= time;
    };
    const over = this.tracks.filter(isOver);
    const kept = this.tracks.filter((track) => !over.includes(track)).toSorted((a, b) => b.seen - a.seen);
    over.push(...kept.slice(MAX_TRACKS));
    const gone = new Set(over);
    const rest = this.tracks.filter((track) => !gone.has(track));
    this.tracks.splice(0, this.tracks.length, ...rest);
    return over.filter(({ number }) => number !== null);
  }

  /** When the next one is gone if no frame comes, milliseconds; Infinity where nobody will be. */
  nextEnd(options: TrackOptions): number {
    return Math.min(Infinity, ...this.tracks.map((track) => endOf(track, options)));
  }

  /** Everybody goes, and the next frame may have any time. @returns those who had a number */
  clear(): Track[] {
    this.#time = undefined;
    return this.tracks.splice(0).filter(({ number }) => number !== null);
  }

  async #associate(
    detections: readonly Detection[],
    isSure: (detection: Detection) => boolean,
    time: number,
    cells: number,
  ): Promise<(Track | undefined)[]> {
    const turn = turns();
    const found: (Track | undefined)[] = Array.from({ length: detections.length });
    const known = this.tracks.map((track): Known => ({
      expected: track.motion.expect(time / 1000),
      place: track.detection.place,
      shape: track.detection.shape,
      cut: track.detection.cut,
      look: track.look,
      unseen: (time - track.seen) / 1000,
    }));
    const left = new Set(this.tracks.keys());
    const round = async (chosen: (detection: Detection) => boolean, costs: typeof costOf): Promise<void> => {
      const columns = [...detections.keys()].filter((index) => chosen(detections[index]!));
      const rows = [...left];
      const table: number[][] = [];
      for (const row of rows) {
        const costsOfRow: number[] = [];
        for (const column of columns) {
          costsOfRow.push(Math.min(costs(known[row]!, detections[column]!, cells), MAX_COST));
          const pause = turn();
          if (pause) await pause;
        }
        table.push(costsOfRow);
      }
      const pairs = await assignInTurns(table, turn);
      // To be nobody's costs as much as the dearest pair: two bad pairs are no better than a good one.
      pairs.forEach((column, at) => {
        if (column < 0 || table[at]![column]! >= MAX_COST) return;
        left.delete(rows[at]!);
        found[columns[column]!] = this.tracks[rows[at]!];
      });
    };
    await round(isSure, costOf);
    await round((detection) => !isSure(detection), overlapCostOf);
    return found;
  }

  #begin(detection: Detection, time: number): Track {
    const track: Track = {
      number: null,
      hits: 1,
      missed: 0,
      since: time,
      seen: time,
      detection,
      look: detection.look,
      motion: new Motion(detection.place, time / 1000),
    };
    this.tracks.push(track);
    return track;
  }

  #learn(track: Track, detection: Detection, isSure: boolean, time: number): void {
    // What may be nobody confirms nobody.
    if (isSure) track.hits++;
    track.missed = 0;
    track.seen = time;
    track.detection = detection;
    if (isSure) track.look = learned(track.look, detection.look);
    track.motion.correct(detection.place, time / 1000);
  }
}

/** Until when somebody is looked for where seconds count, milliseconds. */
function endOf({ missed, seen }: Track, { goneAfter, goneIn }: TrackOptions): number {
  // Where frames are rare, somebody may be missed in one all the same.
  return goneIn === 'seconds' && missed > 1 ? seen + goneAfter * 1000 : Infinity;
}
