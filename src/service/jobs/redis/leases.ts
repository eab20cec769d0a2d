/** The jobs that this process is at: each is its own as long as the lease on it holds. */
import type { Clock, Timer } from '../../../clock.ts';
import { M2fpError } from '../../../errors.ts';

export interface Lease {
  /** What Redis knows this hold on the job by. */
  readonly token: string;
  /** Aborted when the job is somebody else's, or has an outcome. */
  readonly abort: AbortController;
  timer: Timer | undefined;
  /** Until when it holds for sure, by our own clock. */
  until: number;
}

export class Leases {
  readonly #length: number;
  readonly #clock: Clock;
  readonly #renew: (id: string, token: string) => Promise<boolean | undefined>;
  readonly #held = new Map<string, Lease>();

  /**
   * @param length how long a lease holds, milliseconds; it is renewed three times meanwhile
   * @param renew resolves to whether the job is still ours; undefined: Redis does not say
   */
  constructor(
    length: number,
    clock: Clock,
    renew: (id: string, token: string) => Promise<boolean | undefined>,
  ) {
    this.#length = length;
    this.#clock = clock;
    this.#renew = renew;
  }

  /** @param from when it was asked for, by our own clock */
  hold(id: string, token: string, from: number): Lease {
    const lease: Lease = {
      token,
      abort: new AbortController(),
      timer: undefined,
      until: from + this.#length,
    };
    this.#held.set(id, lease);
    this.#renewSoon(id, lease);
    return lease;
  }

  isHeld(id: string, lease: Lease): boolean {
    return this.#held.get(id) === lease;
  }

  /** Ids and tokens of all that are held. */
  all(): [id: string, token: string][] {
    return [...this.#held].map(([id, { token }]) => [id, token]);
  }

  letGo(id: string): void {
    this.#held.get(id)?.timer?.cancel();
    this.#held.delete(id);
  }

  /** Tells who is at the job that it is over. */
  abort(id: string): void {
    this.#held
      .get(id)
      ?.abort.abort(
        new M2fpError('M2FP_CANCELLED', 'The job has an outcome already, or another process is at it.'),
      );
  }

  #renewSoon(id: string, lease: Lease): void {
    const renew = async (): Promise<void> => {
      const from = this.#clock.now();
      const isOurs = await this.#renew(id, lease.token);
      if (isOurs === true) lease.until = from + this.#length;
      if (!this.isHeld(id, lease)) return;
      // Where Redis is away, the lease holds until nobody can know any more.
      if (isOurs === false || this.#clock.now() > lease.until) {
        this.abort(id);
        this.letGo(id);
      } else this.#renewSoon(id, lease);
    };
    lease.timer = this.#clock.after(this.#length / 3, () => void renew(), { background: true });
  }
}
