/** Which frames of a camera go out by themselves, and when. */
import type { FrameStatistics } from './statistics.ts';
import type { Turns } from './turns.ts';

/** Tells frames apart in which something moved. */
export interface FrameGate {
  /** Whether the picture differs from the last one that passed. @throws where it cannot be read */
  hasMoved(image: Buffer): Promise<boolean>;
  /** The picture goes out: the next ones are compared with it. */
  pass(image: Buffer): Promise<void>;
}

/** Keeps back what has not moved, but for one frame in `keepAlive` milliseconds. */
export interface Motion {
  gate: FrameGate;
  keepAlive: number;
}

/** A frame that was taken from its source, not numbered yet. */
export interface TakenFrame {
  image: Buffer;
  /** When it arrived, milliseconds since 1970. */
  time: number;
}

interface FrameDeliveryOptions {
  turns: Turns;
  statistics: FrameStatistics;
  motion?: Motion | undefined;
  /** Whether each frame counts: none that waits is replaced. */
  isComplete: boolean;
  /** Told of every frame that the gate has looked at. */
  onLook: (moved: boolean) => void;
  /** See {@link CameraOptions.deliver}. */
  send: (frame: TakenFrame, onModel: () => void) => Promise<number>;
}

export class FrameDelivery {
  readonly #options: FrameDeliveryOptions;
  /** Something moved in it, and the model is busy with other cameras. */
  #waiting: TakenFrame | undefined;

  constructor(options: FrameDeliveryOptions) {
    this.#options = options;
  }

  /** Whether a frame is still to go out that was offered before. */
  get isWaiting(): boolean {
    return this.#waiting !== undefined;
  }

  /** Whether it is the turn of the one that waits. */
  get isWaitOver(): boolean {
    return this.#waiting !== undefined && this.#options.turns.hasPlace;
  }

  /**
   * Whether the next frame is wanted now. To be asked only where there may be one: others wait for it then.
   * @param isOnline whether one is expected soon
   */
  wants(isOnline: boolean): boolean {
    const { motion, turns, isComplete } = this.#options;
    if (this.#waiting && isComplete) return false;
    // Motion is looked for also while others have their turn: who only walks past is not missed.
    return turns.isDue && (motion !== undefined || !isOnline || turns.hasPlace);
  }

  /** Sends a frame, or keeps it until it is its turn, or keeps it back since nothing moved in it. */
  async offer(frame: TakenFrame): Promise<void> {
    const { motion, statistics, turns, isComplete } = this.#options;
    if (motion === undefined && !isComplete && !turns.hasPlace) {
      // It told that the camera is there; a newer one is taken when it is its turn.
      statistics.skipped++;
      return;
    }
    turns.taken();
    if (motion && !(await this.#isWorthIt(frame.image, motion))) return;
    if (this.#waiting) statistics.skipped++;
    this.#waiting = undefined;
    if (turns.hasPlace) await this.#send(frame);
    else this.#waiting = frame;
  }

  /** Sends the one that waits. */
  async sendWaiting(): Promise<void> {
    const frame = this.#waiting;
    this.#waiting = undefined;
    if (frame) await this.#send(frame);
  }

  /** The connection has ended: what waits does not go out any more. */
  drop(): void {
    if (this.#waiting) this.#options.statistics.skipped++;
    this.#waiting = undefined;
    this.#options.turns.giveWay();
  }

  async #isWorthIt(image: Buffer, { gate, keepAlive }: Motion): Promise<boolean> {
    const { statistics, onLook } = this.#options;
    // What cannot be read goes out: whoever parses it says what is wrong with it.
    const moved = await gate.hasMoved(image).catch(() => true);
    onLook(moved);
    const { sinceSent } = statistics;
    if (moved || sinceSent === undefined || sinceSent >= keepAlive) return true;
    statistics.unchanged++;
    return false;
  }

  async #send(frame: TakenFrame): Promise<void> {
    const { motion, turns, send } = this.#options;
    await motion?.gate.pass(frame.image).catch(() => {});
    void turns.send((onModel) => send(frame, onModel));
  }
}
