/** The models at hand, each one's files compared with what its manifest tells. */
import { join } from 'node:path';
import type { ModelKind, ModelManifest, Precision } from '../m2fp/manifest.ts';
import { bundledModelFolder } from '../paths.ts';
import { sha256File } from '../store/digest.ts';
import { readManifest } from '../store/manifest.ts';
import { openStore } from '../store/store.ts';
import { memoryNeeded } from '../engine/local/memory.ts';
import { freeDisk } from './system.ts';

export interface ModelDiagnosis {
  /** Null where a damaged model does not tell, as with all below that may be null. */
  id: string | null;
  /** Null for the bundled model. */
  revision: string | null;
  precision: Precision | null;
  /** The store that it lies in; null for the bundled model. */
  store: string | null;
  folder: string;
  kind: ModelKind | null;
  labels: string[] | null;
  /** Bytes on disk. */
  size: number | null;
  digest: string | null;
  state: 'ok' | 'damaged';
  /** What is damaged. */
  problem: string | null;
  /** What is wrong with its weights; mostly empty. */
  warnings: string[];
  /** Bytes that an engine with this model needs, an estimate: see `MEMORY_METHOD`. */
  memory: number | null;
}

export interface StoreDiagnosis {
  folder: string;
  /** How many models it holds, damaged ones too. */
  models: number;
  /** Bytes; null where the file system does not tell. */
  free: number | null;
  /** Why it cannot be read; null where it can, or where nothing was pulled yet. */
  problem: string | null;
}

export async function bundledModel(folder = bundledModelFolder()): Promise<ModelDiagnosis> {
  const place = { revision: null, store: null, folder };
  try {
    const manifest = await readManifest(folder);
    return { ...place, ...(await facts(folder, manifest)) };
  } catch (error) {
    return { ...place, ...damaged(error), id: null, precision: null, size: null };
  }
}

/** A store and its models, in the order of their names. */
export async function storedModels(
  root: string,
): Promise<{ store: StoreDiagnosis; models: ModelDiagnosis[] }> {
  const store = openStore(root);
  const free = await freeDisk(store.root);
  try {
    const models: ModelDiagnosis[] = [];
    // One after the other: a disk reads one file faster than several.
    for (const { id, revision, precision, folder, size, manifest, problem } of await store.list()) {
      const rest = manifest === null ? damaged(problem) : await facts(folder, manifest);
      models.push({ revision, store: store.root, folder, ...rest, id, precision, size });
    }
    return { store: { folder: store.root, models: models.length, free, problem: null }, models };
  } catch (error) {
    return { store: { folder: store.root, models: 0, free, problem: words(error) }, models: [] };
  }
}

type Facts = Omit<ModelDiagnosis, 'revision' | 'store' | 'folder'>;

async function facts(folder: string, manifest: ModelManifest): Promise<Facts> {
  const { id, precision, kind, labels, digest } = manifest;
  const problem = await changedFile(folder, manifest).catch(words);
  return {
    id,
    precision,
    kind,
    labels,
    size: Object.values(manifest.files).reduce((sum, file) => sum + file.size, 0),
    digest,
    state: problem === null ? 'ok' : 'damaged',
    problem,
    warnings: manifest.warnings ?? [],
    memory: memoryNeeded(manifest),
  };
}

function damaged(error: unknown): Omit<Facts, 'id' | 'precision' | 'size'> {
  return {
    kind: null,
    labels: null,
    digest: null,
    state: 'damaged',
    problem: words(error),
    warnings: [],
    memory: null,
  };
}

async function changedFile(folder: string, { files }: ModelManifest): Promise<string | null> {
  for (const [name, { sha256 }] of Object.entries(files)) {
    if ((await sha256File(join(folder, name))) !== sha256) {
      return `${name} does not have the SHA-256 that its manifest tells: it was changed, or the disk is failing`;
    }
  }
  return null;
}

const words = (error: unknown) => (error instanceof Error ? error.message : String(error));
