/** Looks at everything that decides whether M2FP works here. */
import packageJson from '../../package.json' with { type: 'json' };
import { WASM_SPEED } from '../engine/child/runtime.ts';
import { judge } from './checks.ts';
import type { Diagnosis, Facts, Int8Facts } from './diagnosis.ts';
import { bundledModel, storedModels, type StoreDiagnosis } from './models.ts';
import { type NativeModule, type Probes, probes as realProbes, type RuntimeModule } from './native.ts';
import { anonymous } from './privacy.ts';
import { processorFacts } from '../processor.ts';
import type { Int8Speed } from '../m2fp/int8-speed.ts';
import { int8Speed } from '../quantize/speed.ts';
import { memoryFacts, nodeRedFacts, platformFacts } from './system.ts';

export type { Check, CheckState, Diagnosis } from './diagnosis.ts';

export interface DiagnoseOptions {
  /** The folders of the model stores to look into. */
  stores: readonly string[];
  /** Node-RED's user folder, and why it is that one; looked into for Node-RED. */
  userFolder?: { path: string; reason: string };
  /** Node-RED's version, where the caller runs in it; else it is searched for. */
  nodeRed?: string;
  /** How much faster int8 is here, undefined where nobody knows; by default that is measured. */
  int8?: () => Promise<Int8Speed | undefined>;
  /** For tests. */
  probes?: Partial<Probes>;
}

/**
 * The state of this installation. Reads every file of every model, which takes about a second per gigabyte, and
 * starts three or four short processes, of which the one that measures int8 takes all cores for some seconds. Names and home folders of users are not in it. Never rejects for what it finds.
 */
export async function diagnose({
  stores,
  userFolder,
  nodeRed,
  int8 = () => int8Speed.measure(),
  probes,
}: DiagnoseOptions): Promise<Diagnosis> {
  const probe = { ...realProbes, ...probes };
  const [cpu, found, onnxruntime, sharp, bundled] = await Promise.all([
    processorFacts(),
    nodeRed === undefined
      ? nodeRedFacts({ ...(userFolder && { userDir: userFolder.path }) })
      : { version: nodeRed, where: null },
    probe.onnxruntime(),
    probe.sharp(),
    bundledModel(),
  ]);
  const wasm = onnxruntime.dispensable ? await probe.wasm() : null;
  const models = [bundled];
  const places: StoreDiagnosis[] = [];
  for (const root of stores) {
    const stored = await storedModels(root);
    models.push(...stored.models);
    places.push(stored.store);
  }
  const provider = providerOf(onnxruntime, wasm);
  const facts: Facts = {
    version: packageJson.version,
    platform: platformFacts(),
    cpu,
    memory: memoryFacts(),
    node: { version: process.version },
    userFolder: userFolder ?? null,
    nodeRed: found,
    onnxruntime,
    wasm,
    sharp,
    provider,
    int8: provider.name === null ? { speed: null, problem: null } : await int8Facts(int8),
    models,
    stores: places,
  };
  const checks = judge(facts);
  const worst = (['fail', 'warn'] as const).find((state) => checks.some((check) => check.state === state));
  return anonymous({ format: 1, ...facts, state: worst ?? 'ok', checks });
}

function int8Facts(measure: () => Promise<Int8Speed | undefined>): Promise<Int8Facts> {
  return measure().then(
    (speed) => ({ speed: speed ?? null, problem: null }),
    (error: Error) => ({ speed: null, problem: error.message }),
  );
}

function providerOf({ problem, backends }: RuntimeModule, wasm: NativeModule | null): Diagnosis['provider'] {
  if (wasm?.problem === null) {
    return {
      name: 'wasm',
      reason: `onnxruntime-node does not work; its WebAssembly build, which this package brings, ${WASM_SPEED}`,
    };
  }
  if (problem !== null) {
    const reason =
      wasm === null
        ? 'onnxruntime-node does not work, and its WebAssembly build only stands in where loading it ends in an error'
        : `onnxruntime-node does not work, nor does its WebAssembly build: ${wasm.problem}`;
    return { name: null, reason };
  }
  const others = backends.filter((name) => name !== 'cpu');
  const unused = others.length === 0 ? '' : `; onnxruntime also knows ${others.join(', ')}`;
  return {
    name: 'cpu',
    reason: `the only one that the engine uses, and the bundled model runs on it${unused}`,
  };
}
