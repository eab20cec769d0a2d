/** Facts about the machine, the Node.js and the Node-RED at hand. */
import { readFile, statfs } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { freemem, homedir, totalmem } from 'node:os';
import { dirname, join, parse } from 'node:path';
import { describeRuntime } from '../image/sharp.ts';
import { packageRoot } from '../paths.ts';

export interface Platform {
  system: NodeJS.Platform;
  arch: NodeJS.Architecture;
  /** Null where there is none to name. */
  libc: { name: string; version: string | null } | null;
}

/** Bytes; where a container has a limit, within that. */
export interface Memory {
  total: number;
  free: number;
}

export function platformFacts(): Platform {
  const [, name = '', version = null] = /\((\w+)(?: ([\d.]+))?\)/.exec(describeRuntime()) ?? [];
  return {
    system: process.platform,
    arch: process.arch,
    libc: name === '' ? null : { name, version },
  };
}

export function memoryFacts(): Memory {
  // Without a limit this is an enormous number, or 0.
  const limit = process.constrainedMemory();
  const total = limit > 0 ? Math.min(limit, totalmem()) : totalmem();
  return { total, free: Math.min(process.availableMemory(), freemem(), total) };
}

/** Bytes that can be written where `folder` is or will be; null where the file system does not tell. */
export async function freeDisk(folder: string): Promise<number | null> {
  try {
    const { bavail, bsize } = await statfs(folder);
    return bavail * bsize;
  } catch {
    return folder === parse(folder).root ? null : freeDisk(dirname(folder));
  }
}

/** The Node-RED that this package runs in, or most likely will. */
export interface NodeRed {
  version: string | null;
  /** Where it was found, in words. */
  where: string | null;
}

/** Looks in the current folder, in Node-RED's default user folder, beside this package and beside Node.js. */
export async function nodeRedFacts({
  current = process.cwd(),
  home = homedir(),
  userDir = join(home, '.node-red'),
} = {}): Promise<NodeRed> {
  const places = {
    'the current folder': current,
    'the user folder': userDir,
    "the folder of Node-RED's Docker image": '/usr/src/node-red',
    'the folder of this package': packageRoot(),
    // Where "npm install -g" puts it: on Windows beside node.exe, elsewhere in ../lib.
    'the global packages': join(dirname(process.execPath), '..', 'lib'),
    'the global packages of Windows': dirname(process.execPath),
  };
  for (const [where, folder] of Object.entries(places)) {
    const version = await versionFrom(folder);
    if (version !== null) return { version, where };
  }
  return { version: null, where: null };
}

async function versionFrom(folder: string): Promise<string | null> {
  try {
    const file = createRequire(join(folder, 'package.json')).resolve('node-red/package.json');
    return (JSON.parse(await readFile(file, 'utf8')) as { version: string }).version;
  } catch {
    return null;
  }
}
