/** Which options of the nodes a client may set. */
import { PARSE_OPTIONS } from '../../src/engine/options.ts';
import { COLORIZE_OPTIONS } from '../../src/parsing/colorize/colorize-options.ts';
import { MASK_OPTIONS } from '../../src/parsing/make-mask/mask-options.ts';
import { anyText, namesInText, number, type OptionTable } from '../../src/parsing/options/option-table.ts';
import { checkAllowed, type ClientRules } from '../../src/service/client-options.ts';
import { MAX_PRIORITY, QUEUE_SETTINGS } from '../common/queue-fields.ts';
import { CROP_SETTINGS } from '../m2fp-crop/config.ts';
import { FIELDS as INFER_FIELDS } from '../m2fp-infer/config.ts';
import { REDACT_SETTINGS } from '../m2fp-redact/config.ts';

/** Of the jobs node, which looks whether the address may be called. */
const JOB_OPTIONS = { webhook: anyText('') };

const TABLES: Readonly<Record<string, OptionTable>> = {
  infer: {
    ...PARSE_OPTIONS,
    scoreThreshold: INFER_FIELDS.scoreThreshold,
    ...QUEUE_SETTINGS,
    key: anyText(''),
    priority: number(-MAX_PRIORITY, MAX_PRIORITY, 0),
  },
  colorize: COLORIZE_OPTIONS,
  crop: CROP_SETTINGS,
  mask: MASK_OPTIONS,
  redact: REDACT_SETTINGS,
  job: JOB_OPTIONS,
};

/** What clients may always say to a jobs node. */
const OF_JOBS = Object.keys(JOB_OPTIONS).map((name) => `job.${name}`);

/**
 * @param hasJobs whether a jobs node follows, whose options a client may set
 * @throws {M2fpError} `M2FP_BAD_OPTION` where the form allows what is no option
 */
export function clientRules(allowed: string, hasJobs = false): ClientRules {
  const names = [...namesInText(allowed), ...(hasJobs ? OF_JOBS : [])];
  const rules = { tables: TABLES, plain: 'infer', allowed: new Set(names) };
  checkAllowed(rules);
  return rules;
}
