/** Work that several callers wait for: done once, given up when the last of them has gone. */
import { Listeners, raceSignal } from '../async.ts';
import { cancellation, throwIfCancelled } from './cancel.ts';

interface Flight<T, P> {
  result: Promise<T>;
  abort: AbortController;
  /** One of each caller. */
  listeners: Listeners<P>;
  /** The last progress, for who comes later. */
  last: P | undefined;
}

export type Work<T, P> = (signal: AbortSignal, notify: (progress: P) => void) => Promise<T>;

export class SingleFlight<T, P> {
  readonly #flights = new Map<string, Flight<T, P>>();

  /**
   * The result of the work of that key: of the one that is under way, else of `work`. Where `signal` aborts, the
   * caller leaves; the last one to leave ends the work, and waits for its end.
   * @throws what the work throws; M2fpError M2FP_CANCELLED
   */
  async join(
    key: string,
    work: Work<T, P>,
    { signal, onProgress = () => {} }: { signal?: AbortSignal; onProgress?: (progress: P) => void },
  ): Promise<T> {
    throwIfCancelled(signal);
    const flight = this.#flights.get(key) ?? this.#begin(key, work);
    const leave = flight.listeners.add(onProgress);
    if (flight.last !== undefined) onProgress(flight.last);
    try {
      return await raceSignal(flight.result, signal);
    } catch (error) {
      if (signal?.aborted !== true) throw error;
      leave();
      if (flight.listeners.size > 0) throw cancellation(signal);
      // Who asks from now on begins anew.
      this.#forget(key, flight);
      flight.abort.abort(cancellation(signal));
      return await flight.result;
    } finally {
      leave();
    }
  }

  #begin(key: string, work: Work<T, P>): Flight<T, P> {
    const abort = new AbortController();
    const listeners = new Listeners<P>();
    const flight: Flight<T, P> = {
      abort,
      listeners,
      last: undefined,
      result: work(abort.signal, (progress) => {
        flight.last = progress;
        listeners.notify(progress);
      }).finally(() => this.#forget(key, flight)),
    };
    this.#flights.set(key, flight);
    return flight;
  }

  #forget(key: string, flight: Flight<T, P>): void {
    if (this.#flights.get(key) === flight) this.#flights.delete(key);
  }
}
