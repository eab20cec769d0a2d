/** What a batch makes of each picture, and where it goes. */
import { relative } from 'node:path';
import { M2fpError } from '../../errors.ts';
import { colorize, type ColorizeOptions } from '../../parsing/colorize/colorize.ts';
import { crop, type CropOptions } from '../../parsing/crop/crop.ts';
import { makeMask, type MaskOptions } from '../../parsing/make-mask/make-mask.ts';
import { badOption, isRecord } from '../../parsing/options/options.ts';
import { redact, type RedactOptions } from '../../parsing/redact/redact.ts';
import type { Parsing } from '../../parsing/types.ts';
import type { DataSet } from '../dataset/data-set.ts';
import {
  DATA_SET_OPTIONS,
  type DataSetOptions,
  PICTURE_OPTIONS,
  type PictureOptions,
} from '../export-options.ts';
import { KINDS, type MadeFile } from './made-files.ts';
import type { Source } from './sources.ts';

/** What can be made. */
export const OUTPUTS = [...KINDS, 'export'] as const;
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
  /** Where `export` is among the outputs. */
  dataSet: DataSet | undefined;
  /** The folder that all is below, absolute. */
  folder: string;
}

/** All that may be made under a name but the data set's, as paths below the folder; the crops' is their folder. */
export function outputPaths(name: string, { outputs, options }: OutputPlan): string[] {
  const paths = {
    json: () => [`json/${name}.json`],
    colorize: () => [`colorize/${name}.${ending(options.colorize)}`],
    redact: () => [redactedPath(name, options.redact)],
    crop: () => [`crop/${name}`],
    mask: () => Object.values(maskPaths(name)),
    export: () => [],
  };
  return outputs.flatMap((output) => paths[output]());
}

/**
 * Makes all files that the plan says, but those of the data set.
 * @param name of the files, unlike those of other pictures; see {@link outputPaths}
 */
export async function makeOutputs(
  parsing: Parsing,
  { path }: Source,
  name: string,
  plan: OutputPlan,
): Promise<MadeFile[]> {
  const { options } = plan;
  const makers = {
    json: async () => {
      const json = JSON.stringify({ file: path.toString(), ...(await plan.json(parsing)) });
      return [{ path: `json/${name}.json`, content: `${json}\n` }];
    },
    colorize: async () => {
      const { image } = await colorize(parsing, options.colorize);
      return [{ path: `colorize/${name}.${ending(options.colorize)}`, content: image }];
    },
    redact: () => makeRedacted(parsing, name, options.redact),
    crop: async () => {
      const crops = await crop(parsing, options.crop);
      return crops.map(({ image, name: own }) => ({ path: `crop/${name}/${own}`, content: image }));
    },
    mask: () => makeMasks(parsing, name, options.mask),
    export: async () => [],
  } satisfies Record<Output, () => Promise<MadeFile[]>>;
  const made: MadeFile[] = [];
  for (const output of plan.outputs) made.push(...(await makers[output]()));
  return made;
}

/**
 * Adds the picture to the data set, where the plan has one.
 * @returns its files there, as paths below the folder of the plan
 */
export async function addToDataSet(
  parsing: Parsing,
  name: string,
  { options, dataSet, folder }: OutputPlan,
): Promise<string[]> {
  if (dataSet === undefined) return [];
  const { picture } = splitExportOptions(options.export);
  const { files } = await dataSet.add(parsing, name.replaceAll('/', '-'), picture);
  return files.map((file) => relative(folder, file).replaceAll('\\', '/'));
}

/** Where somebody is not covered and the rule is to drop, there is no picture. */
async function makeRedacted(
  parsing: Parsing,
  name: string,
  options: RedactOptions | undefined,
): Promise<MadeFile[]> {
  const own = ownFormat(name);
  const { image, uncovered } = await redact(parsing, {
    ...(own !== undefined && { format: own }),
    ...options,
  });
  if (options?.uncovered === 'drop' && uncovered.length > 0) return [];
  return [{ path: redactedPath(name, options), content: image }];
}

/** In its own format a picture keeps its name. */
function redactedPath(name: string, options: RedactOptions | undefined): string {
  const isOwn = ownFormat(name) !== undefined && options?.format === undefined;
  return isOwn ? `redact/${name}` : `redact/${name}.${ending(options)}`;
}

const OWN_FORMATS: readonly [RegExp, NonNullable<RedactOptions['format']>][] = [
  [/\.jpe?g$/i, 'jpeg'],
  [/\.png$/i, 'png'],
  [/\.webp$/i, 'webp'],
];

function ownFormat(name: string): RedactOptions['format'] {
  return OWN_FORMATS.find(([names]) => names.test(name))?.[1];
}

async function makeMasks(
  parsing: Parsing,
  name: string,
  options: MaskOptions | undefined,
): Promise<MadeFile[]> {
  const made = await makeMask(parsing, { empty: 'pass', ...options });
  const paths = maskPaths(name);
  return (['mask', 'agnostic', 'image'] as const).flatMap((kind) => {
    const content = made[kind];
    return content === undefined ? [] : [{ path: paths[kind], content }];
  });
}

function maskPaths(name: string) {
  return {
    mask: `mask/${name}.png`,
    agnostic: `mask/${name}.agnostic.png`,
    image: `mask/${name}.image.png`,
  };
}

function ending({ format = 'png' }: { format?: string | undefined } = {}): string {
  return format === 'jpeg' ? 'jpg' : format;
}
