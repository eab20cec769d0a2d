/** What a request about a job says in its address. */
import { flag } from '../parsing/options/option-table.ts';
import { type ClientRules, readClientOptions } from './client-options.ts';
import { queryOf } from './request.ts';

const LOOK = { result: flag(false) };

const rulesOf = (table: ClientRules['tables'][string]): ClientRules => ({
  tables: { job: table },
  plain: 'job',
  allowed: new Set(Object.keys(table)),
  withoutAnswer: true,
});
const OF_LOOK = rulesOf(LOOK);
const OF_CANCEL = rulesOf({});

/**
 * Whether a request to look at a job wants the result alone: `?result`, `?result=true` or `?result=1`.
 * @param url what the request asks for
 * @throws {M2fpError} `M2FP_BAD_OPTION` for what is neither true nor false, and for other names
 */
export function wantsResult(url: string): boolean {
  return readClientOptions(queryOf(url), {}, OF_LOOK)['result'] === true;
}

/** A request to cancel a job has no options. @throws {M2fpError} `M2FP_BAD_OPTION` for any */
export function checkCancel(url: string): void {
  readClientOptions(queryOf(url), {}, OF_CANCEL);
}
