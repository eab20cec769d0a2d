/** What Node-RED answers about a model; made by nodes/m2fp-model/admin.ts. */
import type { CheckResult, Prospect } from '../m2fp-model/about.ts';
import type { ModelFacts } from '../common/model-facts.ts';
import type { PullProgress } from '../../src/store/progress.ts';

export type { CheckResult, Prospect };

/** Of a deployed model. */
export interface DeployedFacts extends ModelFacts {
  progress: PullProgress | null;
}

export interface Failure {
  message: string;
}
