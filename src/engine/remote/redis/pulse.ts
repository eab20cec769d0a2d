/** Whether a Redis answers, takes changes, and what its clock says: it is asked again and again. */
import type { Redis } from 'ioredis';
import { systemClock, type Timer } from '../../../clock.ts';
import { RedisClock } from './redis-clock.ts';
import { connectionFailure, type RedisFailure, refusalOf } from './address.ts';

/** Pauses without an answer after which Redis counts as away; not one, which may be over late where this process was held up. */
const SILENT_PULSES = 2;

export interface PulseOptions {
  commands: Redis;
  /** The connection that hears channels. */
  subscriber: Redis;
  /** Under which nothing lies. */
  key: string;
  url: string;
  /** Called when `silence` or `refusal` has changed. */
  onChange: () => void;
}

export class Pulse {
  readonly clock = new RedisClock();
  readonly #options: PulseOptions;
  #timer: Timer | null = null;
  #unanswered = 0;
  #isTrying = false;
  #silence: RedisFailure | null = null;
  #refusal: RedisFailure | null = null;

  constructor(options: PulseOptions) {
    this.#options = options;
  }

  /** Why Redis counts as away although its connection stands; null where it does not. */
  get silence(): RedisFailure | null {
    return this.#silence;
  }

  /** Why Redis takes no changes; null where it takes them. */
  get refusal(): RedisFailure | null {
    return this.#refusal;
  }

  /** Resolves when it is known whether changes are taken; asks every `ms` milliseconds from then on. */
  async start(ms: number): Promise<void> {
    const soon = (): void => {
      this.#timer = systemClock.after(ms, look, { background: true });
    };
    const look = (): void => {
      this.#listen();
      void this.#try();
      soon();
    };
    soon();
    await this.#try();
  }

  stop(): void {
    this.#timer?.cancel();
  }

  /**
   * A Redis that stands still keeps its connections, and those are given up late, since a large picture may be under way. On
   * the one that hears channels there is nothing large: an answer that does not come there tells at once.
   */
  #listen(): void {
    const { subscriber, url } = this.#options;
    if (subscriber.status !== 'ready') this.#unanswered = 0;
    else if (this.#unanswered === 0) {
      this.#unanswered = 1;
      // A Redis that refuses it is there, too; where the connection is lost, that is told by the connection.
      const answered = (): void => {
        this.#unanswered = 0;
        this.#note('silence', null);
      };
      subscriber.ping('pulse').then(answered, answered);
    } else if (this.#unanswered++ >= SILENT_PULSES && this.#silence === null) {
      this.#note('silence', connectionFailure(new Error('Socket timeout'), url));
    }
  }

  /** A Redis that answers may take no changes. Never rejects. */
  async #try(): Promise<void> {
    const { commands, key, url } = this.#options;
    if (this.#isTrying || commands.status !== 'ready') return;
    this.#isTrying = true;
    try {
      const asked = systemClock.now();
      const [seconds, micros] = await commands.time();
      this.clock.note(asked, systemClock.now(), 1000 * Number(seconds) + Number(micros) / 1000);
      // Counts as a change that may take memory, and changes nothing: neither disk nor replicas get to see it.
      await commands.set(key, '1', 'XX');
      this.#note('refusal', null);
    } catch (error) {
      this.#note('refusal', refusalOf(error, url));
    } finally {
      this.#isTrying = false;
    }
  }

  #note(what: 'silence' | 'refusal', now: RedisFailure | null): void {
    const before = what === 'silence' ? this.#silence : this.#refusal;
    if (now?.message === before?.message) return;
    if (what === 'silence') this.#silence = now;
    else this.#refusal = now;
    this.#options.onChange();
  }
}
