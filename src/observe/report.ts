/** A diagnosis as text that a user reads, and pastes into an issue. */
import type { Diagnosis } from './diagnosis.ts';
import { MEMORY_METHOD } from '../engine/local/memory.ts';

export function report({ version, checks }: Diagnosis): string {
  const width = Math.max(...checks.map(({ name }) => name.length));
  const lines = checks.map(({ name, state, text, fix }) => {
    const line = `${state.padEnd(4)}  ${name.padEnd(width)}  ${text}`;
    return fix === null ? line : `${line}\n${' '.repeat(width + 8)}-> ${fix}`;
  });
  const count = (state: string) => checks.filter((check) => check.state === state).length;
  const [failures, warnings] = [count('fail'), count('warn')];
  const summary =
    failures + warnings === 0
      ? 'Everything is in order.'
      : `${plural(failures, 'failure')}, ${plural(warnings, 'warning')}: the lines with -> mend them.`;
  return `m2fp ${version}\n\n${lines.join('\n')}\n\n${summary}\nMemory that a model needs is ${MEMORY_METHOD}.\n`;
}

const plural = (count: number, what: string) => (count === 1 ? `1 ${what}` : `${count} ${what}s`);
