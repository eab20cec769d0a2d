/** Which Node-RED the commands work for: its user folder holds the model store. */
import { readdirSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { M2fpError } from '../errors.ts';

/** The user folder of Node-RED's Docker image. */
const CONTAINER = '/data';

export interface UserFolder {
  path: string;
  /** Why this one, in words. */
  reason: string;
}

export interface Surroundings {
  current?: string;
  home?: string;
  container?: string;
}

/**
 * The user folder that is meant: the one named, else the current folder where Node-RED has run in it, else that of
 * Node-RED's Docker image, else `~/.node-red`, there or not.
 * @throws M2fpError M2FP_BAD_OPTION where the one named is no folder
 */
export function findUserFolder(
  named: string | undefined,
  { current = process.cwd(), home = homedir(), container = CONTAINER }: Surroundings = {},
): UserFolder {
  if (named !== undefined) {
    if (statSync(named, { throwIfNoEntry: false })?.isDirectory() !== true) {
      throw new M2fpError(
        'M2FP_BAD_OPTION',
        `--user-dir ${named}: there is no such folder; give the one that Node-RED was started with`,
      );
    }
    return { path: resolve(named), reason: 'as --user-dir says' };
  }
  if (isUserFolder(current)) return { path: current, reason: 'the current folder' };
  if (isUserFolder(container)) return { path: container, reason: "as in Node-RED's Docker image" };
  return { path: join(home, '.node-red'), reason: "Node-RED's default" };
}

/** True where Node-RED has run: it leaves its own configuration, and flows when they are deployed. */
function isUserFolder(folder: string): boolean {
  try {
    return readdirSync(folder).some((name) => /^(\.config\.\w+\.json|flows(_.+)?\.json)$/.test(name));
  } catch {
    return false;
  }
}
