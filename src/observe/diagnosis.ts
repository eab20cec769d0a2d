/** What the doctor finds: the facts, and what they mean. */
import type { ModelDiagnosis, StoreDiagnosis } from './models.ts';
import type { NativeModule, RuntimeModule } from './native.ts';
import type { Int8Speed } from '../m2fp/int8-speed.ts';
import type { Processor } from '../processor.ts';
import type { Memory, NodeRed, Platform } from './system.ts';

export type CheckState = 'ok' | 'warn' | 'fail';

export interface Check {
  /** What was looked at, for example `onnxruntime`; several models and stores have the same. */
  name: string;
  state: CheckState;
  /** What was found, in one line. */
  text: string;
  /** What to do; null where nothing is to be done. */
  fix: string | null;
}

/** What int8 brings here; both are null where nobody measured it. */
export interface Int8Facts {
  speed: Int8Speed | null;
  /** Why it could not be measured. */
  problem: string | null;
}

/** Sizes are in bytes. */
export interface Facts {
  /** Of this package. */
  version: string;
  platform: Platform;
  cpu: Processor;
  memory: Memory;
  node: { version: string };
  nodeRed: NodeRed;
  /** Of the command, which has to find it; null in Node-RED, which knows. */
  userFolder: { path: string; reason: string } | null;
  onnxruntime: RuntimeModule;
  /** onnxruntime's WebAssembly build, which is only tried where it would stand in; else null. */
  wasm: NativeModule | null;
  sharp: NativeModule;
  /** What executes the network, and why; the name is null where nothing can. */
  provider: { name: 'cpu' | 'wasm' | null; reason: string };
  int8: Int8Facts;
  /** The bundled one first, then those of the stores. */
  models: ModelDiagnosis[];
  stores: StoreDiagnosis[];
}

/** Plain data; keys are added, never renamed, while `format` stays. */
export interface Diagnosis extends Facts {
  format: 1;
  /** The worst of the checks. */
  state: CheckState;
  checks: Check[];
}
