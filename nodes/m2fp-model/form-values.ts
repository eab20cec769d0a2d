/** The values of the config node's form, as the editor sends them before they are deployed. */
import type { NodeAPI } from 'node-red';
import { M2fpError } from '../../src/errors.ts';
import { isRecord } from '../../src/parsing/options/options.ts';
import { modelNode, type ModelNode, type RedisCredentials } from '../common/model.ts';
import type { ModelConfig } from './config.ts';
import { variableIn } from '../common/stored-form.ts';
import { type ModelSettings, readSettings } from './settings.ts';

/** What the editor shows in place of a password. */
const UNCHANGED = '__PWRD__';

/**
 * What the form means that the body of a request brings.
 * @throws {M2fpError} `M2FP_BAD_OPTION` where it brings none; what {@link readSettings} throws
 */
export function settingsOfForm(RED: NodeAPI, body: unknown): ModelSettings {
  if (!isRecord(body) || typeof body['source'] !== 'string')
    throw new M2fpError('M2FP_BAD_OPTION', 'The request brings no values of the form of m2fp-model.');
  const { credentials, ...config } = { ...body } as unknown as ModelConfig & { credentials?: unknown };
  const deployed = modelNode(RED, config.id) ?? ({} as ModelNode);
  const entered = enteredCredentials(credentials, deployed.credentials);
  const values = config as unknown as Readonly<Record<string, unknown>>;
  return readSettings(RED, deployed, withVariables(RED, deployed, config), entered, (name) => values[name]);
}

/** The form with the values of those fields that are one environment variable, as Node-RED does when it deploys. */
function withVariables(RED: NodeAPI, node: ModelNode, config: ModelConfig): ModelConfig {
  const valueOf = (field: unknown): unknown => {
    const name = variableIn(field);
    return name === undefined ? field : (RED.util.getSetting(node, name) ?? field);
  };
  const fields = Object.entries(config).map(([name, field]) => [name, valueOf(field)]);
  return Object.fromEntries(fields) as ModelConfig;
}

/**
 * The credentials that the form holds.
 * @throws {M2fpError} `M2FP_BAD_OPTION` naming the one that is no text
 * @param known of the deployed node: the editor does not get its password, and shows {@link UNCHANGED} in its place
 */
function enteredCredentials(entered: unknown, known: RedisCredentials = {}): RedisCredentials {
  if (entered === undefined || entered === null) return {};
  if (!isRecord(entered)) throw new M2fpError('M2FP_BAD_OPTION', 'credentials must be an object.');
  const { redisUsername, redisPassword } = entered;
  for (const [name, value] of Object.entries({ redisUsername, redisPassword })) {
    if (value === undefined || value === null || typeof value === 'string') continue;
    throw new M2fpError('M2FP_BAD_OPTION', `${name} must be a text.`);
  }
  return {
    ...(typeof redisUsername === 'string' && { redisUsername }),
    ...(typeof redisPassword === 'string' && {
      redisPassword: redisPassword === UNCHANGED ? (known.redisPassword ?? '') : redisPassword,
    }),
  };
}
