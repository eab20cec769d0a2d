/** The health as numbers, for alarms. */
import { Gauge, type Registry } from 'prom-client';
import { type Health, REASON_CODES } from './health.ts';

export class HealthGauges {
  readonly #ready: Gauge;
  readonly #reasons: Gauge;

  constructor(registry: Registry) {
    const registers = [registry];
    this.#ready = new Gauge({
      name: 'm2fp_ready',
      help: '1 where a picture that comes now would be parsed, else 0: as the probe for readiness says',
      registers,
    });
    this.#reasons = new Gauge({
      name: 'm2fp_health_reasons',
      help: 'Reasons of each code that the health gives; 0 where it gives none',
      labelNames: ['code'],
      registers,
    });
  }

  set(health: Health | undefined): void {
    this.#ready.remove();
    this.#reasons.reset();
    if (health === undefined) return;
    this.#ready.set(health.ready ? 1 : 0);
    for (const code of REASON_CODES) {
      this.#reasons.set({ code }, health.reasons.filter((reason) => reason.code === code).length);
    }
  }
}
