/** The form of the config node, as options of the engine. */
import { resolve } from 'node:path';
import type { Node, NodeAPI, NodeDef } from 'node-red';
import { checkParseOptions, completeEngineOptions } from '../../src/engine/options.ts';
import type { EngineOptions, ParseOptions } from '../../src/engine/types.ts';
import { M2fpError, type M2fpErrorCode } from '../../src/errors.ts';
import type { Precision } from '../../src/m2fp/manifest.ts';
import { bundledModelFolder } from '../../src/paths.ts';
import { ModelAddress, MODELSCOPE } from '../../src/store/modelscope.ts';
import { checkName, modelFolder } from '../../src/store/names.ts';
import { numberField } from '../common/fields.ts';
import type { ModelPlace, PublishedModel } from '../common/model.ts';
import { storeFolder } from '../common/store-folder.ts';

/** What the form begins with. */
const MULTI_HUMAN = 'damo/cv_resnet101_image-multiple-human-parsing';

export interface ModelConfig extends NodeDef {
  source: ModelPlace['source'];
  /**
   * For `folder`: path of a converted model, or of a checkpoint, a file or a folder; may contain ${ENV}. A relative one
   * starts at the user directory.
   */
  folder: string;
  /** This and the next three are for `modelscope`; nodes from before they were there do not have them. */
  modelId?: string;
  /** Blank: master. */
  revision?: string;
  precision?: Precision | '';
  /** Blank: ModelScope; may contain ${ENV}. */
  baseUrl?: string;
  threads: number | string;
  maxQueue: number | string;
  /** Seconds. */
  timeout: number | string;
  shortSide: number | string;
  longSide: number | string;
  /** 0: as many as cores and memory allow. This and the next four are since version 2. */
  processes?: number | string;
  warmUp?: boolean;
  /** Minutes; 0: never. */
  idleUnload?: number | string;
  /** MiB of each process; 0: no limit. */
  maxMemory?: number | string;
  /** MiB; 0: none. */
  cacheSize?: number | string;
}

/** Milliseconds of a minute. */
const MINUTE = 60_000;

export interface ModelSettings {
  source: ModelPlace['source'];
  engine: Required<EngineOptions>;
  /** For `modelscope`; the engine's folder is where it lies in the store. */
  published?: PublishedModel;
  /** For `folder`: what becomes of a checkpoint that lies there in place of a converted model. */
  conversion?: { root: string; precision: Precision };
  parse: ParseOptions;
}

/** @throws {M2fpError} for anything that no engine can be made of */
export function readSettings(RED: NodeAPI, node: Node, config: ModelConfig): ModelSettings {
  const maxQueue = numberField(config.maxQueue);
  const seconds = numberField(config.timeout);
  const minutes = numberField(config.idleUnload);
  const { source } = config;
  const published = source === 'modelscope' ? publishedModel(RED, node, config) : undefined;
  return {
    source,
    engine: completeEngineOptions({
      model: published
        ? modelFolder(published.root, published)
        : source === 'folder'
          ? folderOf(RED, node, config.folder)
          : bundledModelFolder(),
      threads: numberField(config.threads),
      maxQueue: maxQueue === undefined ? undefined : Math.min(maxQueue, bufferLimit(RED)),
      timeout: seconds === undefined ? undefined : seconds * 1000,
      processes: numberField(config.processes),
      warmUp: config.warmUp,
      idleUnload: minutes === undefined ? undefined : Math.round(minutes * MINUTE),
      maxMemory: numberField(config.maxMemory),
      cacheSize: numberField(config.cacheSize),
    }),
    ...(published && { published }),
    ...(source === 'folder' && {
      conversion: { root: storeFolder(RED), precision: config.precision || 'fp32' },
    }),
    parse: checkParseOptions({
      shortSide: numberField(config.shortSide),
      longSide: numberField(config.longSide),
    }),
  };
}

/** Node-RED's own limit of messages that a node may keep; 0 and absent mean none. */
function bufferLimit(RED: NodeAPI): number {
  const limit = (RED.settings as { nodeMessageBufferMaxLength?: unknown }).nodeMessageBufferMaxLength;
  return typeof limit === 'number' && limit > 0 ? limit : Infinity;
}

/** @throws {M2fpError} `M2FP_BAD_OPTION` */
function publishedModel(RED: NodeAPI, node: Node, config: ModelConfig): PublishedModel {
  const { modelId = MULTI_HUMAN, revision = '', precision = '', baseUrl = '' } = config;
  const name = checkName({
    id: modelId.trim(),
    revision: revision.trim() || 'master',
    precision: precision || 'fp32',
  });
  const address = withEnvironment(RED, node, baseUrl, 'M2FP_BAD_OPTION', 'address of the model server');
  const url = address || MODELSCOPE;
  // Throws where it is none: better now than with the first message.
  new ModelAddress(name.id, name.revision, url);
  return { ...name, baseUrl: url, root: storeFolder(RED) };
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
