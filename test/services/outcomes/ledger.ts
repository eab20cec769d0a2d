/** What clients counted, and what should not have been. */
import type { Outcome } from './client.ts';

export class Ledger {
  /** What must not happen, in words. */
  readonly wrong: string[] = [];
  /** By kind of request and what came of it. */
  readonly counts = new Map<string, Map<string, number>>();

  note(kind: string, outcome: string): void {
    const counts = this.counts.get(kind) ?? new Map<string, number>();
    counts.set(outcome, (counts.get(outcome) ?? 0) + 1);
    this.counts.set(kind, counts);
  }

  /** How often `chosen` holds. */
  count(chosen: (outcome: string, kind: string) => boolean): number {
    let sum = 0;
    for (const [kind, counts] of this.counts) {
      for (const [outcome, count] of counts) if (chosen(outcome, kind)) sum += count;
    }
    return sum;
  }

  lines(): string[] {
    return [...this.counts].map(([kind, counts]) => {
      const sorted = [...counts].toSorted(([, a], [, b]) => b - a);
      const each = sorted.map(([outcome, count]) => `${count} x ${outcome}`);
      return `${kind}: ${each.join(', ')}`;
    });
  }
}

/** The route that a deploy has taken away for a moment: Node-RED itself answers. */
export const NO_ROUTE = 'no route';

/** "200", "429 M2FP_BUSY", "left". */
export function nameOf(outcome: Outcome): string {
  if (outcome.end !== 'answer') return outcome.end;
  const { status, code, type } = outcome;
  if (status === 404 && type === 'text/html') return NO_ROUTE;
  return code === '' || status < 400 ? `${status}` : `${status} ${code}`;
}
