/** The form of the config node, as options of the engine. */
import { resolve } from 'node:path';
import type { Node, NodeAPI, NodeDef } from 'node-red';
import { checkParseOptions, completeEngineOptions } from '../../src/engine/options.ts';
import type { WorkerAddress } from '../../src/engine/remote/client/transport.ts';
import { completeRemoteOptions, type RemoteEngineOptions } from '../../src/engine/remote/redis/settings.ts';
import type { EngineOptions } from '../../src/engine/types.ts';
import type { ParseOptions } from '../../src/parsing/types.ts';
import { M2fpError, type M2fpErrorCode } from '../../src/errors.ts';
import { bundledModelFolder } from '../../src/paths.ts';
import type { Conversion } from '../../src/store/local.ts';
import { ModelAddress, MODELSCOPE } from '../../src/store/modelscope.ts';
import { checkName, modelFolder } from '../../src/store/names.ts';
import { bufferLimit } from '../common/buffer-limit.ts';
import type { ModelPlace, PublishedModel, RedisCredentials } from '../common/model.ts';
import { storeFolder } from '../common/store-folder.ts';
import { checkFields, completed, type Entered, enteredIn } from '../common/stored-form.ts';
import { FIELDS, type ModelConfig } from './config.ts';
import { isHidden, Numbers } from './numbers.ts';

export interface LocalSettings {
  source: Exclude<ModelPlace['source'], 'remote'>;
  engine: Required<EngineOptions>;
  /** For `modelscope`; the engine's folder is where it lies in the store. */
  published?: PublishedModel;
  /** For `folder`: what becomes of a checkpoint that lies there in place of a converted model. */
  conversion?: Conversion;
  parse: ParseOptions;
}

export interface RemoteSettings {
  source: 'remote';
  engine: Required<RemoteEngineOptions>;
  parse: ParseOptions;
}

export type ModelSettings = LocalSettings | RemoteSettings;

/**
 * @param entered what stood in a field before Node-RED put the value of an environment variable in
 * @throws {M2fpError} for anything that no engine can be made of; it tells nothing of the credentials
 */
export function readSettings(
  RED: NodeAPI,
  node: Node,
  stored: NodeDef & Partial<ModelConfig>,
  credentials: RedisCredentials = {},
  entered: Entered = enteredIn(RED, node),
): ModelSettings {
  const config = completed(FIELDS, stored);
  const { source } = config;
  checkFields(FIELDS, config, entered, (name) => isHidden(source, name));
  const numbers = new Numbers(config, entered);
  const maxQueue = numbers.get('maxQueue');
  const shared = {
    maxQueue: maxQueue === undefined ? undefined : Math.min(maxQueue, bufferLimit(RED) ?? Infinity),
    timeout: numbers.inUnit('timeout'),
    cacheSize: numbers.get('cacheSize'),
    maxBytes: numbers.inUnit('maxImageSize'),
    maxPixels: numbers.inUnit('maxMegapixels'),
  };
  const parse = checkParseOptions({
    shortSide: numbers.get('shortSide'),
    longSide: numbers.get('longSide'),
  });
  if (source === 'remote') {
    const address = addressOf(RED, node, config, credentials);
    return { source, engine: completeRemoteOptions({ address, ...shared }), parse };
  }
  const pictures = source === 'folder' ? picturesOf(RED, node, config) : undefined;
  const published = source === 'modelscope' ? publishedModel(RED, node, config) : undefined;
  return {
    source,
    engine: completeEngineOptions({
      model: published
        ? modelFolder(published.root, published)
        : source === 'folder'
          ? folderOf(RED, node, config.folder)
          : bundledModelFolder(),
      threads: numbers.get('threads'),
      processes: numbers.get('processes'),
      warmUp: config.warmUp,
      idleUnload: numbers.inUnit('idleUnload'),
      maxMemory: numbers.get('maxMemory'),
      ...shared,
    }),
    ...(published && { published }),
    ...(source === 'folder' && {
      conversion: {
        root: storeFolder(RED),
        precision: config.precision || 'fp32',
        weights: config.ema ? 'ema' : 'model',
        ...(pictures !== undefined && { pictures }),
      },
    }),
    parse,
  };
}

/** @throws {M2fpError} `M2FP_BAD_OPTION` */
function addressOf(
  RED: NodeAPI,
  node: Node,
  { redis, queue }: ModelConfig,
  { redisUsername = '', redisPassword = '' }: RedisCredentials,
): WorkerAddress {
  if (/\/\/.*@/.test(redis)) {
    // Before anything quotes the address.
    throw new M2fpError(
      'M2FP_BAD_OPTION',
      'The address of Redis has a user name or password in it: enter them in their own fields.',
    );
  }
  // As Node-RED does with those of a deployed node.
  const credential = (text: string, what: string): string =>
    /^\$\{[^}]+\}$/.test(text) ? withEnvironment(RED, node, text, 'M2FP_BAD_OPTION', what) : text;
  return {
    url: withEnvironment(RED, node, redis, 'M2FP_BAD_OPTION', 'address of Redis'),
    queue:
      withEnvironment(RED, node, queue, 'M2FP_BAD_OPTION', "name of the workers' queue") ||
      FIELDS.queue.form.value,
    username: credential(redisUsername, 'user name for Redis'),
    password: credential(redisPassword, 'password for Redis'),
  };
}

/** @throws {M2fpError} `M2FP_BAD_OPTION` */
function publishedModel(RED: NodeAPI, node: Node, config: ModelConfig): PublishedModel {
  const { modelId, revision, precision, baseUrl } = config;
  const name = checkName({
    id: modelId.trim(),
    revision: revision.trim() || 'master',
    precision: precision || 'fp32',
  });
  const address = withEnvironment(RED, node, baseUrl, 'M2FP_BAD_OPTION', 'address of the model server');
  const url = address || MODELSCOPE;
  // Throws where it is none: better now than with the first message.
  const { id, revision: checked } = new ModelAddress(name.id, name.revision, url);
  const pictures = picturesOf(RED, node, config);
  return {
    ...name,
    id,
    revision: checked,
    baseUrl: url,
    root: storeFolder(RED),
    ...(pictures !== undefined && { pictures }),
  };
}

/** The folder of pictures that an int8 model is made with; undefined for others, and where none is given. */
function picturesOf(RED: NodeAPI, node: Node, { precision, pictures }: ModelConfig): string | undefined {
  if (precision !== 'int8') return undefined;
  const path = withEnvironment(RED, node, pictures, 'M2FP_NO_IMAGE', 'folder of pictures');
  return path === '' ? undefined : resolve(RED.settings.userDir ?? '.', path);
}

function folderOf(RED: NodeAPI, node: Node, folder: string): string {
  const path = withEnvironment(RED, node, folder, 'M2FP_MODEL_NOT_FOUND', "model's folder");
  if (path === '') {
    throw new M2fpError(
      'M2FP_MODEL_NOT_FOUND',
      'The model has no folder: enter the path of a converted model.',
    );
  }
  return resolve(RED.settings.userDir ?? '.', path);
}

/**
 * The text with the values of the environment variables that stand in it as `${NAME}`.
 * @throws {M2fpError} with the code `code` where there is no such variable
 */
function withEnvironment(RED: NodeAPI, node: Node, text: string, code: M2fpErrorCode, what: string): string {
  return text.trim().replace(/\$\{([^}]+)\}/g, (_match, name: string) => {
    const value: string | undefined = RED.util.getSetting(node, name);
    if (value === undefined || value === '') {
      throw new M2fpError(
        code,
        `The ${what} is "${text}", but there is no environment variable ${name}: set it, or write it out.`,
      );
    }
    return value;
  });
}
