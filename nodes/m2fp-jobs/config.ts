/** The form of the node, as it is stored in flows. */
import { anyText, optionsInFields, valuesOf, whole } from '../../src/parsing/options/option-table.ts';
import type { JobLimits } from '../../src/service/jobs/types.ts';
import { readSecret } from '../../src/service/jobs/webhook/sign.ts';
import { readTargets, type WebhookTargets } from '../../src/service/jobs/webhook/targets.ts';
import { M2fpError } from '../../src/errors.ts';
import { type Config, MODEL_FIELD } from '../common/form-fields.ts';

const JOB_SETTINGS = {
  /** Name of the line: jobs of another one are not seen. */
  line: anyText('jobs'),
  inFlight: whole(1, 64, 2),
  /** Seconds that the flow has for a picture. */
  timeout: whole(1, 86_400, 600),
  maxJobs: whole(1, 100_000, 1000),
  /** MiB of pictures and results. */
  maxSize: whole(1, 1_048_576, 1024),
  /** Minutes that an outcome is kept. */
  retention: whole(1, 43_200, 60),
  /** Minutes that a job may wait. */
  maxWait: whole(1, 43_200, 1440),
  /** Blank: there are no webhooks. */
  webhookHosts: anyText(''),
};

/** The model says where jobs are kept: with its workers' Redis, or in a folder here. */
export const FIELDS = { ...MODEL_FIELD, ...JOB_SETTINGS };

export type JobsConfig = Config<typeof FIELDS>;

/** What the editor keeps apart from the flow. */
export interface JobsCredentials {
  webhookSecret?: string;
}

export interface JobSettings {
  line: string;
  inFlight: number;
  timeout: number;
  limits: JobLimits;
  targets: WebhookTargets;
  /** Of the signatures; undefined where there are no webhooks. */
  key: Buffer | undefined;
}

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const MEBIBYTE = 2 ** 20;

/** @throws {M2fpError} `M2FP_BAD_OPTION`, which tells nothing of the secret */
export function readSettings(config: JobsConfig, secret = ''): JobSettings {
  const { line, inFlight, timeout, maxJobs, maxSize, retention, maxWait, webhookHosts } = valuesOf(
    JOB_SETTINGS,
    optionsInFields(JOB_SETTINGS, config),
  );
  if (!/^[\w-]{1,64}$/.test(line)) {
    throw new M2fpError(
      'M2FP_BAD_OPTION',
      'The name of the line of jobs must be 1 to 64 letters, digits, "_" or "-".',
    );
  }
  const targets = readTargets(webhookHosts);
  return {
    line,
    inFlight,
    timeout: timeout * SECOND,
    limits: {
      maxJobs,
      maxBytes: maxSize * MEBIBYTE,
      retention: retention * MINUTE,
      maxWait: maxWait * MINUTE,
    },
    targets,
    key: targets.origins.size > 0 ? readSecret(secret) : undefined,
  };
}
