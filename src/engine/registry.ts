/** One engine per model and processes, or per model and workers, shared by all who ask for it. */
import { intactManifest } from '../store/manifest.ts';
import { systemClock, type Clock, type Timer } from '../clock.ts';
import { LocalEngine, type EngineInternals } from './local/local-engine.ts';
import { completeEngineOptions } from './options.ts';
import { SwappingEngine } from './swap.ts';
import type { Engine, EngineInfo, EngineOptions } from './types.ts';

/** Milliseconds that an engine outlives its last lease: Node-RED's full deploy closes and re-creates every node. */
export const LINGER = 30_000;

export interface EngineLease {
  engine: Engine;
  /**
   * Gives the engine back; calling it again does nothing. It lingers, for a deploy that may be under way; where it is to
   * retire, nobody will want it again: it ends as soon as it has worked off its line, unless others have it.
   */
  release(options?: { retire?: boolean }): void;
}

export interface AcquireOptions {
  /**
   * Who asks again and again, for example a config node's id: where it had an engine with the same model and other
   * options, that one serves on until the new one is loaded.
   */
  owner?: string;
}

/** What tests replace. */
export interface RegistryInternals extends EngineInternals {
  linger?: number;
}

/** What the registry does with engines of all kinds. */
export interface SharedEngine extends Engine {
  /** Resolves when nothing waits and nothing runs. */
  drained(): Promise<void>;
  /** Unloads for good. */
  close(): Promise<void>;
}

/** An engine that is kept. */
export interface Entry<E extends SharedEngine = SharedEngine> {
  /** Tells the kind of the engine too. */
  readonly key: string;
  readonly digest: string;
  /** Where its workers are; null for one of this machine. */
  readonly place: string | null;
  readonly engine: E;
  readonly clock: Clock;
  leases: number;
  /** Whom it serves, by the ids that they gave; one that has two leases is there twice. */
  readonly owners: string[];
  linger: Timer | null;
}

/** The engines of one owner; two while the one that it wants is not loaded yet. */
interface Ownership {
  serving: Entry;
  wanted: Entry;
}

interface Registry {
  entries: Map<string, Entry>;
  /** Those that nobody is given any more and that have not ended yet. */
  retiring: Set<Entry>;
  owners: Map<string, Ownership>;
}

/**
 * On `globalThis`: a module that brings its own copy of this package, beside the one in the user folder, has its nodes in
 * the same Node-RED, and with a map of its own it would load the same model again.
 */
const KEY = Symbol.for('@m2fp/node-red-human-parsing/engines');

function registry(): Registry {
  const holder: typeof globalThis & { [KEY]?: Registry } = globalThis;
  return (holder[KEY] ??= { entries: new Map(), retiring: new Set(), owners: new Map() });
}

/**
 * A share in the engine for these options: the one that exists, also where it merely lingers, else a new one. A
 * new one has not started its processes yet: `engine.load()` or the first `engine.parse()` does, or this where it
 * takes the place of one that serves. Equal models in two folders (same digest, as computed) are one. Options other than
 * `threads` and `processes` make no other engine: those of the newest lease hold for all.
 *
 * Throws M2FP_BAD_OPTION, M2FP_MODEL_NOT_FOUND or M2FP_MODEL_INVALID; a failure is not remembered.
 */
export async function acquireEngine(
  options: EngineOptions,
  { owner, ...internals }: AcquireOptions & RegistryInternals = {},
): Promise<EngineLease> {
  const complete = completeEngineOptions(options);
  const manifest = await intactManifest(complete.model);
  // No await from here on: two callers at the same time must find the same entry.
  const key = JSON.stringify([manifest.digest, complete.threads, complete.processes]);
  const { clock = systemClock, linger = LINGER } = internals;
  const entry =
    reusable<LocalEngine>(key) ??
    keep({
      key,
      digest: manifest.digest,
      place: null,
      engine: new LocalEngine(manifest, complete, internals),
      clock,
    });
  entry.engine.configure(complete);
  return leaseOf(entry, owner, linger);
}

/** An engine, and the owners that it serves: none for one that lingers, or that does not serve yet. */
export interface ListedEngine extends EngineInfo {
  owners: string[];
}

/** Every engine that has processes or may have some, for whoever watches them. */
export function listEngines(): ListedEngine[] {
  const { entries, retiring } = registry();
  return [...entries.values(), ...retiring].map(({ engine, owners }) => ({
    ...engine.info(),
    owners: [...new Set(owners)],
  }));
}

/** Ends every engine at once, leased or not; resolves when no child process is left. */
export async function shutdownEngines(): Promise<void> {
  const { entries, retiring } = registry();
  await Promise.all([...entries.values(), ...retiring].map(discard));
}

/** The engines that may be given to somebody; for those who acquire. */
export function allEntries(): Entry[] {
  return [...registry().entries.values()];
}

/** The engine of the key; for those who acquire. A deploy is a fresh start for one that gave up and that nobody has. */
export function reusable<E extends SharedEngine>(key: string): Entry<E> | undefined {
  const entry = registry().entries.get(key) as Entry<E> | undefined;
  if (entry?.leases !== 0 || entry.engine.info().state !== 'failed') return entry;
  void discard(entry);
  return undefined;
}

/** Keeps a new engine, which must be leased at once; for those who acquire. */
export function keep<E extends SharedEngine>(made: Omit<Entry<E>, 'leases' | 'owners' | 'linger'>): Entry<E> {
  const entry: Entry<E> = { ...made, leases: 0, owners: [], linger: null };
  registry().entries.set(entry.key, entry);
  return entry;
}

/** A share in the engine; for those who acquire. */
export function leaseOf(entry: Entry, owner: string | undefined, linger: number): EngineLease {
  hold(entry);
  const old = owner === undefined ? undefined : takeOver(owner, entry);
  return old === undefined ? lease(entry, owner, linger) : swappingLease(owner!, old, entry, linger);
}

function hold(entry: Entry): void {
  entry.linger?.cancel();
  entry.linger = null;
  entry.leases++;
}

function release(entry: Entry, linger: number): void {
  entry.leases--;
  if (entry.leases > 0 || registry().entries.get(entry.key) !== entry) return;
  entry.linger = entry.clock.after(linger, () => void discard(entry), { background: true });
}

/** `release`s it without lingering: nobody will want it again. It finishes its work first. */
function retire(entry: Entry): void {
  entry.leases--;
  const { entries, retiring } = registry();
  if (entry.leases > 0 || entries.get(entry.key) !== entry) return;
  entries.delete(entry.key);
  retiring.add(entry);
  void entry.engine.drained().then(() => discard(entry));
}

/** Notes what `owner` has from now on; returns the engine that serves it until `wanted` can, if there is one. */
function takeOver(owner: string, wanted: Entry): Entry | undefined {
  const { entries, owners } = registry();
  const before = owners.get(owner);
  const serving = before?.serving;
  const serves =
    serving !== undefined &&
    serving !== wanted &&
    serving.digest === wanted.digest &&
    entries.get(serving.key) === serving &&
    isLoaded(serving) &&
    !isLoaded(wanted);
  owners.set(owner, { serving: serves ? serving : wanted, wanted });
  // What was deployed in between and never came to serve would hold its memory for nothing, and so would what no
  // longer serves.
  for (const entry of new Set([before?.wanted, serving])) {
    if (entry === undefined || entry === wanted || entry.digest !== wanted.digest) continue;
    if (entry.leases > 0 || (serves && entry === serving)) continue;
    entry.linger?.cancel();
    entry.linger = null;
    hold(entry);
    retire(entry);
  }
  return serves ? serving : undefined;
}

function isLoaded({ engine }: Entry): boolean {
  const { state } = engine.info();
  return state === 'ready' || state === 'running';
}

/** Notes that `entry` serves `owner`; returns the function that notes the end of it, once. */
function serve(entry: Entry, owner: string | undefined): () => void {
  if (owner === undefined) return () => {};
  entry.owners.push(owner);
  let ended = false;
  return () => {
    if (!ended) entry.owners.splice(entry.owners.indexOf(owner), 1);
    ended = true;
  };
}

function lease(entry: Entry, owner: string | undefined, linger: number): EngineLease {
  let released = false;
  const end = serve(entry, owner);
  return {
    engine: entry.engine,
    release({ retire: forGood = false } = {}) {
      if (released) return;
      released = true;
      end();
      if (forGood) retire(entry);
      else release(entry, linger);
    },
  };
}

function swappingLease(owner: string, old: Entry, wanted: Entry, linger: number): EngineLease {
  hold(old);
  let released = false;
  let swapped = false;
  let end = serve(old, owner);
  const engine = new SwappingEngine(old.engine, wanted.engine, () => {
    swapped = true;
    // Released in the middle of it, both linger for the deploy that may be under way.
    if (released) return;
    end();
    end = serve(wanted, owner);
    const { owners } = registry();
    if (owners.get(owner)?.wanted === wanted) owners.set(owner, { serving: wanted, wanted });
    retire(old);
  });
  return {
    engine,
    release({ retire: forGood = false } = {}) {
      if (released) return;
      released = true;
      end();
      engine.dispose();
      for (const entry of swapped ? [wanted] : [old, wanted]) {
        if (forGood) retire(entry);
        else release(entry, linger);
      }
    },
  };
}

async function discard(entry: Entry): Promise<void> {
  entry.linger?.cancel();
  entry.linger = null;
  const { entries, retiring, owners } = registry();
  if (entries.get(entry.key) === entry) entries.delete(entry.key);
  for (const [owner, { serving, wanted }] of owners) {
    if (serving === entry || wanted === entry) owners.delete(owner);
  }
  retiring.add(entry);
  await entry.engine.close();
  retiring.delete(entry);
}
