/**
 * Cameras that share a model stand in line: no more frames are on their way than keep the model busy. A result is then as old as a
 * few pictures take, however many cameras there are.
 */
import { type Clock, systemClock, type Timer } from '../clock.ts';

/** Milliseconds that a camera whose turn it is has for its frame, and the frame then for its way; then another one may go, too. */
const FETCH = 300;
const WAY = 200;

/** What one camera has of the line. */
export interface FrameTurn {
  /** Whether it is its turn. It gets in line where it was not; its `onTurn` is called when it is its turn. */
  readonly isNow: boolean;
  /** Its frame is on its way, until {@link leave}. */
  sent(): void;
  /** Its frame has come to the model. */
  arrived(): void;
  /** Its frame is done, or it has none: the next one may go. */
  leave(): void;
}

interface Member {
  onTurn: () => void;
  state: 'away' | 'waiting' | 'called' | 'sent';
  /** Runs while it takes room, and its frame has not come to the model yet. */
  lapse?: Timer;
}

export class FrameLine {
  readonly #room: () => number;
  readonly #clock: Clock;
  readonly #waiting: Member[] = [];
  /** Those that take room. */
  readonly #ahead = new Set<Member>();

  /** @param room how many frames may be on their way now */
  constructor(room: () => number, clock: Clock = systemClock) {
    this.#room = room;
    this.#clock = clock;
  }

  /** @param onTurn called when its turn has come */
  join(onTurn: () => void): FrameTurn {
    const member: Member = { onTurn, state: 'away' };
    const isCalled = (): boolean => {
      if (member.state === 'away') {
        member.state = 'waiting';
        this.#waiting.push(member);
        this.#callNext();
      }
      return (member.state as Member['state']) === 'called';
    };
    return {
      get isNow() {
        return isCalled();
      },
      sent: () => {
        // Who has had its time takes no room again before its frame is there.
        const isLate = member.state === 'called' && !this.#ahead.has(member);
        this.#remove(member);
        member.state = 'sent';
        if (!isLate) this.#take(member, WAY);
      },
      arrived: () => {
        if (member.state !== 'sent') return;
        this.#remove(member);
        this.#ahead.add(member);
      },
      leave: () => {
        this.#remove(member);
        member.state = 'away';
        this.#callNext();
      },
    };
  }

  /** @param time milliseconds; a snapshot may be long in coming, and a node before the model may keep it: others do not wait */
  #take(member: Member, time: number): void {
    this.#ahead.add(member);
    const lapse = (): void => {
      this.#ahead.delete(member);
      this.#callNext();
    };
    member.lapse = this.#clock.after(time, lapse, { background: true });
  }

  #remove(member: Member): void {
    member.lapse?.cancel();
    delete member.lapse;
    this.#ahead.delete(member);
    const index = this.#waiting.indexOf(member);
    if (index >= 0) this.#waiting.splice(index, 1);
  }

  #callNext(): void {
    while (this.#waiting.length > 0 && this.#ahead.size < this.#room()) {
      const member = this.#waiting.shift()!;
      member.state = 'called';
      this.#take(member, FETCH);
      member.onTurn();
    }
  }
}
