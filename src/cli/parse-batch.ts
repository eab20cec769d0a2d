/** `m2fp parse` of many pictures: results of each in a folder, and a report. */
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { type ParseOptions, shutdownEngines } from '../engine/index.ts';
import { M2fpError } from '../errors.ts';
import { KINDS } from '../export/batch/made-files.ts';
import {
  addToDataSet,
  DATA_SET_FOLDER,
  makeOutputs,
  type Output,
  type OutputOptions,
  outputPaths,
  OUTPUTS,
  readOutputOptions,
  splitExportOptions,
} from '../export/batch/outputs.ts';
import { DataSet } from '../export/dataset/data-set.ts';
import { type BatchWork, jsonOption, readSource, runBatchCommand } from './batch.ts';
import type { Terminal } from './command.ts';
import { type EngineChoice, openEngine, PATIENT, pipelined } from './open-engine.ts';
import { type Format, FORMATS, parseImage } from './parse-formats.ts';

export const BATCH_OPTIONS = ['make', 'options'] as const;

export interface ParseBatch {
  args: readonly string[];
  out: string | undefined;
  watch: boolean;
  outputs: readonly Output[];
  options: string | undefined;
  format: Format;
  parse: ParseOptions;
  /** Of polygons; undefined: none. */
  iou: number | undefined;
  engine: EngineChoice;
}

/** @returns the exit code */
export async function parseBatch(batch: ParseBatch, terminal: Terminal): Promise<number> {
  const { args, out, outputs, watch, format, parse, iou } = batch;
  const { limits } = batch.engine;
  if (out === undefined) {
    throw new M2fpError(
      'M2FP_BAD_OPTION',
      '--out is missing: name the folder that gets the results (see m2fp parse --help)',
    );
  }
  const options = readOutputOptions(batch.options === undefined ? {} : await jsonOption(batch.options));
  checkUsed(options, outputs);
  try {
    return await runBatchCommand(
      {
        args,
        out,
        watch,
        open: async (folder): Promise<BatchWork> => {
          const { set } = splitExportOptions(options.export);
          const dataSet = outputs.includes('export')
            ? await DataSet.open(join(folder, DATA_SET_FOLDER), set)
            : undefined;
          const close = async (): Promise<void> => dataSet?.close();
          try {
            const engine = await openEngine('parse', batch.engine, terminal);
            const { digest } = engine.info().manifest;
            const plan = { outputs, options, json: FORMATS[format], dataSet, folder };
            return {
              options: fingerprint({ outputs, options, format, parse, digest, iou }),
              read: (source) => readSource(source, limits),
              parse: (image) =>
                parseImage(engine, image, { format, options: parse, limits, iou, queue: PATIENT }),
              kinds: KINDS.filter((kind) => outputs.includes(kind)),
              paths: (name) => outputPaths(name, plan),
              make: (parsing, source, name) => makeOutputs(parsing, source, name, plan),
              add: (parsing, name) => addToDataSet(parsing, name, plan),
              parallel: () => pipelined(engine),
              close,
            };
          } catch (error) {
            await close();
            throw error;
          }
        },
      },
      terminal,
    );
  } finally {
    await shutdownEngines();
  }
}

/** `--make`. @throws M2fpError M2FP_BAD_OPTION */
export function outputsOf(text: string): Output[] {
  const names = text.split(',').map((name) => name.trim());
  const unknown = names.find((name) => !(OUTPUTS as readonly string[]).includes(name));
  if (unknown !== undefined) {
    throw new M2fpError(
      'M2FP_BAD_OPTION',
      `--make takes any of ${OUTPUTS.join(', ')}, with commas between, not "${unknown}"`,
    );
  }
  return OUTPUTS.filter((output) => names.includes(output));
}

/** @throws M2fpError M2FP_BAD_OPTION for options of what is not made */
function checkUsed(options: OutputOptions, outputs: readonly Output[]): void {
  const unused = Object.keys(options).find((name) => !(outputs as readonly string[]).includes(name));
  if (unused === undefined) return;
  throw new M2fpError(
    'M2FP_BAD_OPTION',
    `--options says how to make "${unused}", and --make (${outputs.join(',')}) makes none: add it there, or leave it out here`,
  );
}

/** Equal for runs that make the same of a picture. */
export function fingerprint(facts: object): string {
  return createHash('sha256').update(JSON.stringify(facts)).digest('hex').slice(0, 16);
}
