/** One engine per model and options, shared by all who ask for it. */
import { readManifest } from '../store/manifest.ts';
import { systemClock, type Timer } from '../clock.ts';
import { LocalEngine, type EngineInternals } from './local-engine.ts';
import { completeEngineOptions } from './options.ts';
import type { Engine, EngineOptions } from './types.ts';

/** Milliseconds that an engine outlives its last lease: Node-RED's full deploy closes and re-creates every node. */
const LINGER = 30_000;

export interface EngineLease {
  engine: Engine;
  /** Gives the engine back; calling it again does nothing. */
  release(): void;
}

/** What tests replace. */
export interface RegistryInternals extends EngineInternals {
  linger?: number;
}

interface Entry {
  engine: LocalEngine;
  leases: number;
  linger: Timer | null;
}

/**
 * On `globalThis`, because the bundler may put a copy of this module into each of several files (the nodes'
 * CommonJS and our ESM), and each copy with a map of its own would load the same model again.
 */
const KEY = Symbol.for('@m2fp/node-red-human-parsing/engines');

function entries(): Map<string, Entry> {
  const holder: typeof globalThis & { [KEY]?: Map<string, Entry> } = globalThis;
  return (holder[KEY] ??= new Map());
}

/**
 * A share in the engine for these options: the one that exists, also where it merely lingers, else a new one. A
 * new one has not started its process yet: `engine.load()` or the first `engine.parse()` does. Equal models in
 * two folders (same digest) are one.
 *
 * Throws M2FP_BAD_OPTION, M2FP_MODEL_NOT_FOUND or M2FP_MODEL_INVALID; a failure is not remembered.
 */
export async function acquireEngine(
  options: EngineOptions,
  internals: RegistryInternals = {},
): Promise<EngineLease> {
  const complete = completeEngineOptions(options);
  const manifest = await readManifest(complete.model);
  // No await from here on: two callers at the same time must find the same entry.
  const key = JSON.stringify([manifest.digest, complete.threads, complete.maxQueue, complete.timeout]);
  let entry = entries().get(key);
  if (entry?.leases === 0 && entry.engine.info().state === 'failed') {
    // A deploy is a fresh start for an engine that gave up.
    void discard(key, entry);
    entry = undefined;
  }
  if (entry === undefined) {
    entry = { engine: new LocalEngine(manifest, complete, internals), leases: 0, linger: null };
    entries().set(key, entry);
  }
  entry.linger?.cancel();
  entry.linger = null;
  entry.leases++;
  return lease(key, entry, internals);
}

/** Ends every engine at once, leased or not; resolves when no child process is left. */
export async function shutdownEngines(): Promise<void> {
  await Promise.all([...entries()].map(([key, entry]) => discard(key, entry)));
}

function lease(
  key: string,
  entry: Entry,
  { clock = systemClock, linger = LINGER }: RegistryInternals,
): EngineLease {
  let released = false;
  return {
    engine: entry.engine,
    release() {
      if (released) return;
      released = true;
      entry.leases--;
      if (entry.leases > 0 || entries().get(key) !== entry) return;
      entry.linger = clock.after(linger, () => void discard(key, entry), { background: true });
    },
  };
}

async function discard(key: string, entry: Entry): Promise<void> {
  entry.linger?.cancel();
  entries().delete(key);
  await entry.engine.close();
}
