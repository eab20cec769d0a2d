/** The one door to sharp: a native module, so it is loaded at first use and never at import. */
import { globSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import type sharp from 'sharp';
import { M2fpError } from '../errors.ts';

export type Sharp = typeof sharp;

/** The C library of this process: `glibc 2.36`, `musl`, or undefined where there is none to name. */
function libc(): string | undefined {
  if (process.platform !== 'linux') return undefined;
  // Not in the type definitions of Node 22.
  const report: NodeJS.ProcessReport & { excludeNetwork?: boolean } = process.report;
  const { excludeNetwork } = report;
  // Else the report looks up host names, which can take seconds.
  report.excludeNetwork = true;
  try {
    const { header } = report.getReport() as { header?: { glibcVersionRuntime?: string } };
    return header?.glibcVersionRuntime === undefined ? 'musl' : `glibc ${header.glibcVersionRuntime}`;
  } finally {
    report.excludeNetwork = excludeNetwork;
  }
}

/** What a native module has to fit, e.g. `linux x64 (glibc 2.36), Node v24.1.0`. */
export function describeRuntime(): string {
  const library = libc();
  return `${process.platform} ${process.arch}${library === undefined ? '' : ` (${library})`}, Node ${process.version}`;
}

/**
 * A memoised loader around `load`. A rejection is not kept: the next call tries again, as the user may have
 * installed what was missing.
 */
export function memoisedSharp(load: () => Promise<{ default: Sharp }>): () => Promise<Sharp> {
  let loading: Promise<Sharp> | undefined;
  return () => {
    loading ??= load().then(
      (module) => {
        // Reads pictures with a gain map (Ultra HDR), and fails on grey ones; without it, they are the JPEGs that they are.
        module.default.block({ operation: ['VipsForeignLoadUhdr'] });
        return module.default;
      },
      (error: unknown) => {
        loading = undefined;
        throw unloadable(error);
      },
    );
    return loading;
  };
}

function unloadable(error: unknown): M2fpError {
  const [reason] = String(error instanceof Error ? error.message : error).split('\n');
  return new M2fpError(
    'M2FP_ENGINE_UNAVAILABLE',
    `The image library sharp does not load on ${describeRuntime()}: ${reason}. ` +
      'Run "npm install --include=optional sharp" in the folder where this package is installed (for Node-RED, ' +
      'the user directory), with the same Node and on the same machine that runs it, then restart. ' +
      'Prebuilt binaries exist for Linux (glibc and musl), macOS and Windows; ' +
      'where there is none: npm install @img/sharp-wasm32.',
    { cause: error },
  );
}

/**
 * Why no picture will be read here, as far as that shows without loading anything: sharp, or its binary for this system,
 * is not installed, as after `npm install --omit=optional`. Null where both are there, which may still fail to load.
 *
 * @param from a file, or a folder with a slash at its end, that sharp is looked for from
 */
export function foreseenSharpProblem(from = import.meta.url): M2fpError | null {
  const { platform, arch } = process;
  try {
    const main = createRequire(from).resolve('sharp');
    const { resolve } = createRequire(main);
    const isThere = (name: string): boolean => {
      try {
        return resolve(`${name}/sharp.node`) !== '';
      } catch {
        return false;
      }
    };
    const prebuilt = [`${platform}-${arch}`, `${platform}musl-${arch}`, 'wasm32'];
    if (prebuilt.some((system) => isThere(`@img/sharp-${system}`))) return null;
    // Where somebody compiled it.
    if (globSync('../src/build/Release/*.node', { cwd: dirname(main) }).length > 0) return null;
    return unloadable(new Error('its binary for this system is not installed'));
  } catch (error) {
    return unloadable(error);
  }
}

/** What sharp requires before its binary, the slowest first. */
export const DEPENDENCIES = ['semver', '@img/colour', 'detect-libc'] as const;

/**
 * sharp in several turns of the event loop: in one go, with all that it requires, it would stand still for 60 ms, on
 * slow machines for 120.
 */
async function loadInTurns(): Promise<{ default: Sharp }> {
  try {
    const requireAsSharp = createRequire(createRequire(import.meta.url).resolve('sharp'));
    for (const name of DEPENDENCIES) {
      requireAsSharp(name);
      await setImmediate();
    }
  } catch {
    // Whatever is missing, sharp itself says so, and better.
  }
  return import('sharp');
}

/**
 * sharp, loaded once.
 *
 * @throws M2FP_ENGINE_UNAVAILABLE where its binary is missing or does not fit; names the platform and the fix
 */
export const loadSharp = memoisedSharp(loadInTurns);
