/**
 * The line in front of an engine. Lanes take turns, so that a camera that sends without pause does not keep the
 * others waiting: whoever has been served longest ago goes first. What waits is few, so that a list that is looked
 * through is fast enough.
 */
import { M2fpError } from '../../errors.ts';
import type { Clock, Timer } from '../../clock.ts';
import type { DropReason, QueueOptions } from '../types.ts';

/** Lanes whose last turn is remembered. One that was forgotten counts as served longest ago, and almost was. */
const MAX_LANES = 1000;

export interface FairQueueOptions<T> {
  clock: Clock;
  /** Called for an item that was given up, when it has left the line. */
  onDrop: (item: T, reason: DropReason) => void;
  /** Whether the item can be taken; where it is its turn and it cannot, all wait for it. */
  isReady?: (item: T) => boolean;
}

/** How much more an engine can take. */
export interface Room {
  /** Items that processes without work will take: they do not count as waiting. */
  free: number;
  /** Items of all lanes that may wait. */
  limit: number;
}

interface Entry<T> {
  item: T;
  lane: string;
  /** Undefined for an item that no other one replaces. */
  key: string | undefined;
  priority: number;
  /** By the clock; Infinity without a maximum age. */
  expires: number;
  timer: Timer | null;
}

/** The line itself: who waits, in which order they are taken, and who is dropped. */
export class FairQueue<T> {
  readonly #clock: Clock;
  readonly #onDrop: (item: T, reason: DropReason) => void;
  readonly #isReady: (item: T) => boolean;
  /** In the order that they came, except that a newer item takes the place of the one that it replaces. */
  readonly #entries: Entry<T>[] = [];
  /** The turn at which each lane was served last; the one longest ago is first. */
  readonly #served = new Map<string, number>();
  #turn = 0;

  constructor({ clock, onDrop, isReady = () => true }: FairQueueOptions<T>) {
    this.#clock = clock;
    this.#onDrop = onDrop;
    this.#isReady = isReady;
  }

  get size(): number {
    return this.#entries.length;
  }

  /**
   * Puts `item` in line, in place of an older one where its policy is `latest`.
   * @throws M2FP_BUSY where the lane, the whole line or, for `reject`, every process is full
   */
  add(item: T, options: Required<QueueOptions>, room: Room): void {
    const { policy, lane, priority, maxAge } = options;
    const older = this.#olderThan(options);
    if (older < 0) this.#checkRoom(options, room);
    const key = policy === 'latest' ? options.key : undefined;
    const entry: Entry<T> = { item, lane, key, priority, expires: Infinity, timer: null };
    if (maxAge > 0) {
      entry.expires = this.#clock.now() + maxAge;
      entry.timer = this.#clock.after(maxAge, () => this.#expire(entry), { background: true });
    }
    if (older < 0) {
      this.#entries.push(entry);
      return;
    }
    // It takes the old one's place: at the end, a fast camera would never get its turn.
    const [replaced] = this.#entries.splice(older, 1, entry);
    replaced!.timer?.cancel();
    this.#onDrop(replaced!.item, 'replaced');
  }

  /** Drops what an item with these options would take the place of, for one that needs no place. */
  replaceOlder(options: Required<QueueOptions>): void {
    const older = this.#entries[this.#olderThan(options)];
    if (older === undefined) return;
    this.#remove(older);
    this.#onDrop(older.item, 'replaced');
  }

  /** All that wait, in no order. */
  items(): T[] {
    return this.#entries.map(({ item }) => item);
  }

  /** The next one of those that are allowed; undefined where none of them waits, or it is not ready. */
  take(isAllowed: (item: T) => boolean = () => true): T | undefined {
    this.#expireOverdue();
    let best: Entry<T> | undefined;
    for (const entry of this.#entries) {
      if (!isAllowed(entry.item)) continue;
      if (best === undefined || this.#goesBefore(entry, best)) best = entry;
    }
    if (best === undefined || !this.#isReady(best.item)) return undefined;
    this.#remove(best);
    this.#serve(best.lane);
    return best.item;
  }

  /** Takes `item` out of the line; false where it is not in it. */
  delete(item: T): boolean {
    const entry = this.#entries.find((other) => other.item === item);
    if (entry === undefined) return false;
    this.#remove(entry);
    return true;
  }

  /** Empties the line; returns who was in it. */
  clear(): T[] {
    const entries = this.#entries.splice(0);
    for (const { timer } of entries) timer?.cancel();
    return entries.map(({ item }) => item);
  }

  /** Index of the entry whose place a newer one takes; -1 where there is none. */
  #olderThan({ policy, lane, key }: Required<QueueOptions>): number {
    if (policy !== 'latest') return -1;
    return this.#entries.findIndex((entry) => entry.lane === lane && entry.key === key);
  }

  #checkRoom({ policy, lane, limit }: Required<QueueOptions>, { free, limit: all }: Room): void {
    if (this.size < free) return;
    if (policy === 'reject') {
      throw new M2fpError(
        'M2FP_BUSY',
        'The engine is busy, and the request is one that does not wait: try again, or let it wait.',
      );
    }
    const lanesOwn = this.#entries.filter((entry) => entry.lane === lane).length;
    // `latest` needs no lane limit: one picture waits per key.
    if (policy === 'wait' && lanesOwn >= limit + free) {
      throw new M2fpError(
        'M2FP_BUSY',
        `The engine is busy and the limit of ${limit} pictures that may wait here is reached: send fewer, or raise the limit.`,
      );
    }
    if (this.size >= all + free) {
      throw new M2fpError(
        'M2FP_BUSY',
        `The engine is busy and its limit of ${all} waiting pictures is reached: send fewer, or raise the limit.`,
      );
    }
  }

  /** Whether `entry`, which comes later in the list, goes before `other` all the same. */
  #goesBefore(entry: Entry<T>, other: Entry<T>): boolean {
    if (entry.priority !== other.priority) return entry.priority > other.priority;
    return this.#lastTurn(entry.lane) < this.#lastTurn(other.lane);
  }

  #lastTurn(lane: string): number {
    return this.#served.get(lane) ?? -1;
  }

  #serve(lane: string): void {
    // Deleted first, so that the map stays in the order of the turns.
    this.#served.delete(lane);
    this.#served.set(lane, this.#turn++);
    if (this.#served.size > MAX_LANES) {
      const [oldest] = this.#served.keys();
      this.#served.delete(oldest!);
    }
  }

  /** A timer may come late where the event loop is busy; the age counts. */
  #expireOverdue(): void {
    const now = this.#clock.now();
    for (const entry of this.#entries.filter(({ expires }) => expires <= now)) this.#expire(entry);
  }

  #expire(entry: Entry<T>): void {
    this.#remove(entry);
    this.#onDrop(entry.item, 'expired');
  }

  #remove(entry: Entry<T>): void {
    entry.timer?.cancel();
    this.#entries.splice(this.#entries.indexOf(entry), 1);
  }
}
