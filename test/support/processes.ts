/** Looking after processes that a test did not start itself (POSIX). */
import { execFileSync } from 'node:child_process';

/** The ids of the processes that `parent` started. */
export function childrenOf(parent: number): number[] {
  return table()
    .filter((process) => process.parent === parent && !process.ended)
    .map(({ pid }) => pid);
}

/** True while the process runs, or is stopped; one that has ended and that nobody has asked about does not count. */
export function isAlive(pid: number): boolean {
  return table().some((process) => process.pid === pid && !process.ended);
}

function table(): { pid: number; parent: number; ended: boolean }[] {
  const lines = execFileSync('ps', ['-A', '-o', 'pid=,ppid=,stat='], { encoding: 'utf8' }).trim().split('\n');
  return lines.map((line) => {
    const [pid, parent, state] = line.trim().split(/\s+/);
    return { pid: Number(pid), parent: Number(parent), ended: state!.startsWith('Z') };
  });
}
