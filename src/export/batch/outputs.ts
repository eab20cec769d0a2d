/** What a batch makes of each picture, and where it writes it. */
import { relative } from 'node:path';
import { asM2fpError, M2fpError } from '../../errors.ts';
import { colorize, type ColorizeOptions } from '../../parsing/colorize/colorize.ts';
import { crop, type CropOptions } from '../../parsing/crop/crop.ts';
import { makeMask, type MaskOptions } from '../../parsing/make-mask/make-mask.ts';
import { badOption, isRecord } from '../../parsing/options/options.ts';
import { redact, type RedactOptions } from '../../parsing/redact/redact.ts';
import type { Parsing } from '../../parsing/types.ts';
import type { DataSet } from '../dataset/data-set.ts';
import type { WholeFiles } from '../dataset/whole-files.ts';
import {
  DATA_SET_OPTIONS,
  type DataSetOptions,
  PICTURE_OPTIONS,
  type PictureOptions,
} from '../export-options.ts';
import { outputStem, type Source } from './sources.ts';

/** What can be made. */
export const OUTPUTS = ['json', 'colorize', 'redact', 'crop', 'mask', 'export'] as const;
export type Output = (typeof OUTPUTS)[number];

/** Options by what they are of, with the names that `msg.m2fp` has. */
export interface OutputOptions {
  colorize?: ColorizeOptions;
  redact?: RedactOptions;
  crop?: CropOptions;
  mask?: MaskOptions;
  export?: DataSetOptions & PictureOptions;
}

/** The folder of the data set, below that of the batch. */
export const DATA_SET_FOLDER = 'dataset';

/**
 * Reads options as `{"redact": {"method": "fill"}, "export": {"format": "voc"}}`. Their values are checked where they are used.
 * @throws {M2fpError} `M2FP_BAD_OPTION`
 */
export function readOutputOptions(value: unknown): OutputOptions {
  const names = OUTPUTS.filter((name) => name !== 'json');
  const allowed = `an object with any of ${names.join(', ')}, each an object of options`;
  if (!isRecord(value)) throw badOption('options', value, allowed);
  for (const [name, options] of Object.entries(value)) {
    if (!(names as string[]).includes(name) || !isRecord(options)) throw badOption('options', value, allowed);
  }
  return value;
}

/** The options of a data set, and those of each of its pictures. */
export function splitExportOptions(options: DataSetOptions & PictureOptions = {}): {
  set: DataSetOptions;
  picture: PictureOptions;
} {
  const entries = Object.entries(options);
  const unknown = entries.find(
    ([name]) => !Object.hasOwn(DATA_SET_OPTIONS, name) && !Object.hasOwn(PICTURE_OPTIONS, name),
  );
  if (unknown !== undefined) {
    const names = [...Object.keys(DATA_SET_OPTIONS), ...Object.keys(PICTURE_OPTIONS)].join(', ');
    throw new M2fpError(
      'M2FP_BAD_OPTION',
      `There is no option "${unknown[0]}" of export; allowed: ${names}.`,
    );
  }
  return {
    set: Object.fromEntries(entries.filter(([name]) => Object.hasOwn(DATA_SET_OPTIONS, name))),
    picture: Object.fromEntries(entries.filter(([name]) => Object.hasOwn(PICTURE_OPTIONS, name))),
  };
}

export interface OutputPlan {
  /** What is made, in this order. */
  outputs: readonly Output[];
  options: OutputOptions;
  /** The content of `json`. */
  json: (parsing: Parsing) => object | Promise<object>;
  files: WholeFiles;
  /** Where `export` is among the outputs. */
  dataSet: DataSet | undefined;
  /** The folder that all is below, absolute. */
  folder: string;
}

/** Makes and writes all that the plan says; returns paths below its folder, with slashes. */
export async function writeOutputs(parsing: Parsing, source: Source, plan: OutputPlan): Promise<string[]> {
  const written: string[] = [];
  const write = async (path: string, content: Buffer | string): Promise<void> => {
    await plan.files.write(path, content).catch((error: unknown) => {
      throw unwritten(path, error);
    });
    written.push(path);
  };
  const stem = outputStem(source.file);
  const { options } = plan;
  for (const output of plan.outputs) {
    switch (output) {
      case 'json':
        await write(`json/${stem}.json`, await jsonText(parsing, source, plan));
        break;
      case 'colorize':
        await write(
          `colorize/${stem}.${ending(options.colorize)}`,
          (await colorize(parsing, options.colorize)).image,
        );
        break;
      case 'redact':
        await writeRedacted(parsing, stem, options.redact, write);
        break;
      case 'crop':
        for (const { image, name } of await crop(parsing, options.crop))
          await write(`crop/${stem}/${name}`, image);
        break;
      case 'mask':
        await writeMasks(parsing, stem, options.mask, write);
        break;
      case 'export': {
        const { picture } = splitExportOptions(options.export);
        const { files } = await plan.dataSet!.add(parsing, stem.replaceAll('/', '-'), picture);
        written.push(...files.map((file) => relative(plan.folder, file).replaceAll('\\', '/')));
      }
    }
  }
  return written;
}

/** A name that is too long is one picture's fault; a full disk is not. */
function unwritten(path: string, error: unknown): M2fpError {
  const isName = (error as NodeJS.ErrnoException).code === 'ENAMETOOLONG';
  return asM2fpError(error, isName ? 'M2FP_BAD_IMAGE' : 'M2FP_NOT_KEPT', `${path} cannot be written`);
}

async function jsonText(parsing: Parsing, { path }: Source, { json }: OutputPlan): Promise<string> {
  return `${JSON.stringify({ file: path.toString(), ...(await json(parsing)) })}\n`;
}

type Write = (path: string, content: Buffer | string) => Promise<void>;

/** Where somebody is not covered and the rule is to drop, there is no picture. */
async function writeRedacted(
  parsing: Parsing,
  stem: string,
  options: RedactOptions | undefined,
  write: Write,
): Promise<void> {
  const own = OWN_FORMATS.find(([names]) => names.test(stem))?.[1];
  const { image, uncovered } = await redact(parsing, {
    ...(own !== undefined && { format: own }),
    ...options,
  });
  if (options?.uncovered === 'drop' && uncovered.length > 0) return;
  // In its own format a picture keeps its name.
  const isOwn = own !== undefined && options?.format === undefined;
  await write(isOwn ? `redact/${stem}` : `redact/${stem}.${ending(options)}`, image);
}

const OWN_FORMATS: readonly [RegExp, NonNullable<RedactOptions['format']>][] = [
  [/\.jpe?g$/i, 'jpeg'],
  [/\.png$/i, 'png'],
  [/\.webp$/i, 'webp'],
];

async function writeMasks(
  parsing: Parsing,
  stem: string,
  options: MaskOptions | undefined,
  write: Write,
): Promise<void> {
  const { mask, agnostic, image } = await makeMask(parsing, { empty: 'pass', ...options });
  await write(`mask/${stem}.png`, mask);
  if (agnostic !== undefined) await write(`mask/${stem}.agnostic.png`, agnostic);
  if (image !== undefined) await write(`mask/${stem}.image.png`, image);
}

function ending({ format = 'png' }: { format?: string | undefined } = {}): string {
  return format === 'jpeg' ? 'jpg' : format;
}
