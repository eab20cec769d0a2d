/** `m2fp parse`: the people and parts in a picture, as JSON and as a coloured picture. */
import { readFile, writeFile } from 'node:fs/promises';
import { extname } from 'node:path';
import { acquireEngine, type EngineOptions, type ParseOptions, shutdownEngines } from '../engine/index.ts';
import { asM2fpError, M2fpError } from '../errors.ts';
import { limitsFrom, pictureFrom } from '../image/index.ts';
import { colorize, type ColorizeOptions } from '../parsing/colorize.ts';
import { DEFAULT_MIN_SCORE, type Parsing, summarize, toModelScope } from '../parsing/index.ts';
import { bundledModelFolder } from '../paths.ts';
import {
  choiceOption,
  type Command,
  LIMIT_OPTIONS,
  limitOptions,
  numberOption,
  readArguments,
  type Terminal,
} from './command.ts';
import { ProgressBar } from './progress.ts';
import { DEFAULT_STORE, folderOfModel, storeOption } from './stores.ts';

const OPTIONS = [
  'model',
  'store',
  'short-side',
  'long-side',
  'min-score',
  'format',
  'out',
  'colorize',
  ...LIMIT_OPTIONS,
] as const;

/** What `--format` chooses from. */
const FORMATS = {
  summary: summarize,
  modelscope: toModelScope,
  full: ({ image: _image, labelMap, personMap, ...rest }: Parsing) => ({
    ...rest,
    labelMap: labelMap.toString('base64'),
    personMap: personMap.toString('base64'),
  }),
};

const PICTURE_FORMATS: Readonly<Record<string, ColorizeOptions['format']>> = {
  '.png': 'png',
  '.jpg': 'jpeg',
  '.jpeg': 'jpeg',
  '.webp': 'webp',
};

export const parse: Command = {
  name: 'parse',
  summary: 'find the people and their parts in a picture',
  help: `Usage: m2fp parse PICTURE [options]

Finds the people and their parts in PICTURE and prints them as JSON.

Options:
  --model MODEL       a folder that "m2fp convert" made, the id of a model that "m2fp pull" put into the store, or a
                      checkpoint, a file or a folder, which is converted into the store the first time
                      (default: the small model that ships with the package)
  --store DIR         the store of the id or the converted checkpoint (default: ${DEFAULT_STORE})
  --short-side N      pixels that the picture's shorter side is scaled to (default: the model's)
  --long-side N       pixels that its longer side must not pass (default: the model's)
  --flip              parse the mirrored picture too and combine both results, as in M2FP's published figures:
                      steadier labels and outlines, twice the time
  --min-score N       minimum score of persons and parts, 0.1 to 1: what scores less is doubtful, and neither counted nor
                      coloured (default: 0.5; for --format modelscope what its pipeline returns, from 0.1)
  --format NAME       what is printed:
                        summary     persons and parts with boxes, areas and scores (default), as infer's msg.payload
                        modelscope  {labels, scores, masks} as ModelScope's pipeline, masks in COCO run-length encoding
                        full        msg.parsing without its image: persons and parts, also doubtful ones, with masks in
                                    COCO run-length encoding; labelMap and personMap, one byte per pixel (row by row),
                                    in base64
  --out FILE          write the JSON to FILE instead
  --colorize FILE     also write the coloured picture: .png, .jpg or .webp
  --max-megapixels N  millions of pixels that PICTURE may have (default: 64)
  --max-image-size N  MiB that the file may have (default: 32)
  --help              show this text
`,
  run,
};

async function run(args: string[], { out, err }: Terminal): Promise<void> {
  const {
    arguments: [picture = ''],
    options,
    flags,
  } = readArguments(parse, args, { takes: ['PICTURE'], options: OPTIONS, flags: ['flip'] });
  const format = choiceOption('format', options.format, Object.keys(FORMATS) as (keyof typeof FORMATS)[]);
  const chosen = {
    shortSide: numberOption('short-side', options['short-side']),
    longSide: numberOption('long-side', options['long-side']),
    scoreThreshold:
      numberOption('min-score', options['min-score']) ??
      (format === 'modelscope' ? undefined : DEFAULT_MIN_SCORE),
    ...flags,
  };
  const colored = options.colorize;
  const pictureFormat = colored === undefined ? undefined : pictureFormatOf(colored);
  const limits = limitOptions(options);
  const image = pictureFrom(await readPicture(picture), limitsFrom(limits));

  const model =
    options.model === undefined
      ? bundledModelFolder()
      : await folderOfModel(options.model, storeOption(options.store), new ProgressBar(err));
  const { parsing, fallback } = await parseOnce({ model, ...limits }, image, chosen);
  if (fallback !== null) err.write(`m2fp: ${fallback}\n`);
  if (colored !== undefined) {
    await writeOutput(colored, (await colorize(parsing, { format: pictureFormat })).image);
  }
  const result = await FORMATS[format ?? 'summary'](parsing);
  const json = `${JSON.stringify(result, undefined, format === 'full' ? 0 : 2)}\n`;
  if (options.out === undefined) out.write(json);
  else await writeOutput(options.out, json);
}

/** Starts an engine for one picture, and leaves no process behind. */
async function parseOnce(
  from: Pick<EngineOptions, 'model' | 'maxBytes' | 'maxPixels'>,
  image: Buffer,
  options: ParseOptions,
): Promise<{ parsing: Parsing; fallback: string | null }> {
  const { engine } = await acquireEngine({ ...from, timeout: 0 });
  try {
    const parsing = await engine.parse({ image, options });
    return { parsing, fallback: engine.info().fallback };
  } finally {
    await shutdownEngines();
  }
}

function pictureFormatOf(file: string): ColorizeOptions['format'] {
  const format = PICTURE_FORMATS[extname(file).toLowerCase()];
  if (format === undefined) {
    const endings = Object.keys(PICTURE_FORMATS).join(', ');
    throw new M2fpError('M2FP_BAD_OPTION', `--colorize ${file}: the name must end in one of ${endings}`);
  }
  return format;
}

async function readPicture(file: string): Promise<Buffer> {
  try {
    return await readFile(file);
  } catch (error) {
    throw asM2fpError(error, 'M2FP_NO_IMAGE', 'The picture cannot be read');
  }
}

async function writeOutput(file: string, content: Buffer | string): Promise<void> {
  try {
    await writeFile(file, content);
  } catch (error) {
    throw asM2fpError(error, 'M2FP_BAD_OPTION', 'The result cannot be written');
  }
}
