/** What Node-RED answers about a model; made by nodes/m2fp-model/admin.ts. */
import type { ModelDescription } from '../m2fp-model/about.ts';
import type { CheckResult } from '../m2fp-model/check.ts';
import type { DownloadStatus } from '../m2fp-model/downloads.ts';
import type { ModelFacts } from '../common/model-facts.ts';
import type { Int8Speed } from '../../src/m2fp/int8-speed.ts';
import type { PullProgress } from '../../src/store/progress.ts';

export type { CheckResult, DownloadStatus, Int8Speed, ModelDescription };

/** What the form's values mean. */
export interface FormDescription extends ModelDescription {
  /** What is under way to get the model, or how the last try ended; null where it is there, or nobody tried. */
  download: DownloadStatus | null;
}

/** What int8 brings on this machine: measured, being measured, or why that failed. */
export type Int8Here = { speed: Int8Speed } | 'measuring' | { problem: string };

/** Of a deployed model. */
export interface DeployedFacts extends ModelFacts {
  /** Equal to that of a {@link ModelDescription} that means the same model. */
  choice: string;
  progress: PullProgress | null;
}

export interface Failure {
  message: string;
  code?: string | null;
  /** As of {@link DeployedFacts}; null where the configuration is wrong. */
  choice: string | null;
}

export interface Answer {
  /** 200 of every success. */
  status: number;
  /** Of a success. */
  answer?: unknown;
  /** Of a failure, in the user's language. */
  problem?: string;
  /** Of the failure of a deployed model. */
  choice?: string | null;
}

/** Asks Node-RED at a path below `m2fp/`. */
export type Ask = (type: 'GET' | 'POST', path: string, data?: string) => Promise<Answer>;
