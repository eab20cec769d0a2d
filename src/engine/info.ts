/** What an engine's info says. */
import type { EngineInfo } from './types.ts';

/** True for an engine of workers, of which there may be none; one of this machine always has processes. */
export function isRemote({ processes }: EngineInfo): boolean {
  return processes.every(({ host }) => host !== undefined);
}
