/** The form of the node, as it is stored in flows. */
import type { NodeAPI } from 'node-red';
import { optionsInFields } from '../../src/parsing/options/option-table.ts';
import { DESCRIBE_OPTIONS, type DescribeOptions } from '../../src/people/describe/describe-options.ts';
import type { Config } from '../common/form-fields.ts';
import { PARSING_FIELDS } from '../common/parsing.ts';
import { RESULT_FIELDS } from '../common/result.ts';

export const FIELDS = { ...PARSING_FIELDS, ...DESCRIBE_OPTIONS, ...RESULT_FIELDS };
export type DescribeConfig = Config<typeof FIELDS>;

/** What the form says. */
export function settingsOf(config: Partial<DescribeConfig>): DescribeOptions {
  return optionsInFields(DESCRIBE_OPTIONS, config);
}

/** What `auto` is: Node-RED's own language (`lang` of settings.js) where sentences are made in it, else English. */
export function languageOf(
  language: DescribeOptions['language'],
  { settings }: Pick<NodeAPI, 'settings'>,
): DescribeOptions['language'] {
  if (language !== undefined && language !== 'auto') return language;
  const { lang } = settings as { lang?: unknown };
  return typeof lang === 'string' && /^zh\b/i.test(lang) ? 'zh-CN' : 'en-US';
}
