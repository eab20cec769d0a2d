/** The form of the config node, as options of the engine. */
import { resolve } from 'node:path';
import type { Node, NodeAPI, NodeDef } from 'node-red';
import { checkParseOptions, completeEngineOptions } from '../../src/engine/options.ts';
import type { EngineOptions, ParseOptions } from '../../src/engine/types.ts';
import { M2fpError } from '../../src/errors.ts';
import { bundledModelFolder } from '../../src/paths.ts';
import { numberField } from '../common/fields.ts';

export interface ModelConfig extends NodeDef {
  source: 'bundled' | 'folder';
  /** Path of a converted model for `folder`; may contain ${ENV}. A relative one starts at the user directory. */
  folder: string;
  threads: number | string;
  maxQueue: number | string;
  /** Seconds. */
  timeout: number | string;
  shortSide: number | string;
  longSide: number | string;
}

export interface ModelSettings {
  engine: EngineOptions;
  parse: ParseOptions;
}

/** @throws {M2fpError} for anything that no engine can be made of */
export function readSettings(RED: NodeAPI, node: Node, config: ModelConfig): ModelSettings {
  const maxQueue = numberField(config.maxQueue);
  const seconds = numberField(config.timeout);
  return {
    engine: completeEngineOptions({
      model: config.source === 'folder' ? modelFolder(RED, node, config.folder) : bundledModelFolder(),
      threads: numberField(config.threads),
      maxQueue: maxQueue === undefined ? undefined : Math.min(maxQueue, bufferLimit(RED)),
      timeout: seconds === undefined ? undefined : seconds * 1000,
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

function modelFolder(RED: NodeAPI, node: Node, folder: string): string {
  const path = folder.trim().replace(/\$\{([^}]+)\}/g, (_match, name: string) => {
    const value: string | undefined = RED.util.getSetting(node, name);
    if (value === undefined || value === '') {
      throw new M2fpError(
        'M2FP_MODEL_NOT_FOUND',
        `The model's folder is "${folder}", but there is no environment variable ${name}: set it, or write the path.`,
      );
    }
    return value;
  });
  if (path === '') {
    throw new M2fpError(
      'M2FP_MODEL_NOT_FOUND',
      'The model has no folder: enter the path of a converted model.',
    );
  }
  return resolve(RED.settings.userDir ?? '.', path);
}
