/** How much memory a process takes, seen from outside. */
import { readFileSync } from 'node:fs';

/**
 * Bytes of resident memory of the process `pid`, shared pages included, as `process.memoryUsage.rss()` counts
 * them inside; null where the system has no `/proc`, or the process has gone. Takes some 20 µs.
 */
export function residentBytes(pid: number): number | null {
  try {
    // In kB here; /proc/PID/statm counts pages, whose size Node.js does not tell.
    const [, kilobytes] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1')) ?? [];
    return kilobytes === undefined ? null : Number(kilobytes) * 1024;
  } catch {
    return null;
  }
}
