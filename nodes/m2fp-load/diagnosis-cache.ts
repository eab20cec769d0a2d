/** The doctor's report, for all who ask for it within a while. */
import { systemClock, type Clock } from '../../src/clock.ts';
import type { Diagnosis } from '../../src/observe/diagnosis.ts';
import { services } from '../common/services.ts';

/** A report younger than this is given again, milliseconds: each one starts processes and reads all models. */
const FRESH = 60_000;

export class DiagnosisCache {
  readonly #clock: Clock;
  #latest: { key: string; at: number; diagnosis: Promise<Diagnosis> } | undefined;

  constructor(clock: Clock = systemClock) {
    this.#clock = clock;
  }

  /**
   * @param store the model store to look into
   * @param nodeRed Node-RED's version; where it is not told it is searched for
   */
  diagnosis(store: string, nodeRed: string | undefined): Promise<Diagnosis> {
    const key = `${store}\n${nodeRed}`;
    const latest = this.#latest;
    if (latest?.key === key && this.#clock.now() - latest.at < FRESH) return latest.diagnosis;
    const diagnosis = services.diagnose([store], nodeRed);
    const made = { key, at: this.#clock.now(), diagnosis };
    this.#latest = made;
    diagnosis.catch(() => {
      if (this.#latest === made) this.#latest = undefined;
    });
    return diagnosis;
  }
}
