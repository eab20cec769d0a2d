/** `m2fp parse`: the people and parts in a picture, as JSON and as a coloured picture. */
import { mkdir, writeFile } from 'node:fs/promises';
import { extname, join, parse as parsePath, resolve } from 'node:path';
import { acquireEngine, type Engine, type ParseOptions, shutdownEngines } from '../engine/index.ts';
import { asM2fpError, isOfOneImage, M2fpError } from '../errors.ts';
import { colorize, type ColorizeOptions } from '../parsing/colorize/colorize.ts';
import { DEFAULT_MIN_SCORE } from '../parsing/index.ts';
import {
  choiceOption,
  type Command,
  LIMIT_OPTIONS,
  limitOptions,
  parseOptions,
  PARSING_OPTIONS,
  readArguments,
  refuseOptions,
  type Terminal,
} from './command.ts';
import { checkWatched, meansMany } from './batch-sources.ts';
import { ENGINE_HELP, ENGINE_OPTIONS, engineChoice } from './open-engine.ts';
import { BATCH_OPTIONS, outputsOf, parseBatch } from './parse-batch.ts';
import { type Format, FORMATS, parseImage } from './parse-formats.ts';
import { polygonIou } from './polygon-options.ts';
import { ProgressBar } from './progress.ts';
import { readImage } from './read-image.ts';
import { BUNDLED, DEFAULT_STORE, folderOfModel, STORE_OPTIONS, storeHelp, storeOption } from './stores.ts';

const OPTIONS = [
  ...ENGINE_OPTIONS,
  ...STORE_OPTIONS,
  ...BATCH_OPTIONS,
  ...PARSING_OPTIONS,
  'format',
  'out',
  'colorize',
  'iou',
  ...LIMIT_OPTIONS,
] as const;

const IMAGE_FORMATS: Readonly<Record<string, ColorizeOptions['format']>> = {
  '.png': 'png',
  '.jpg': 'jpeg',
  '.jpeg': 'jpeg',
  '.webp': 'webp',
};

export const parse: Command = {
  name: 'parse',
  summary: 'find the people and their parts in pictures',
  help: `Usage: m2fp parse PICTURE... [options]
       m2fp parse FOLDER|PATTERN|- --out DIR [options]

Finds the people and their parts in each PICTURE and prints them as JSON. What is transparent in it is taken for white,
and only --format modelscope sees the colours under it, as that pipeline does. Of several pictures each gets one line, with its
"file" in front; one that cannot be parsed has an "error" (code, message) there, the others go on, and the exit code is 1.

Of a FOLDER (with all below), a quoted PATTERN ('photos/**/*.jpg') or a list of paths on the standard input ("-", a path a
line, or with zero bytes between), what is made of each goes into files below DIR, and DIR/report.jsonl has a line for each.
The same command goes on where it was interrupted: a picture is done again only where it, the options, the model or a file that
was made of it have changed (not one of a dataset, which may be put right by hand). Files that an earlier run made of a picture,
and this one does not, are removed, also where the picture now fails, unless it cannot be read. Where two pictures would have the
same file, or names that differ in upper and lower case alone, one gets a number: the report tells which. Of several folders, each
one's name stands in front; where an earlier run had a picture of that name in another folder, one has its path as its name, unless
it was moved, and is the same byte by byte. Pictures that lie in DIR among what was made are refused, so that none is written over.
Exit code 0: all done, or the list was empty; 1: some failed, or an error (M2FP_...) ended the command; 2: all failed.

Options:
  --model MODEL       a folder that "m2fp convert" made, the id of a model that "m2fp pull" put into the store, or a
                      checkpoint, a file or a folder, which is converted into the store the first time; or
                      ${BUNDLED} (default), the small model that ships with the package
  --store DIR         the store of the id or the converted checkpoint (default: ${DEFAULT_STORE})
${storeHelp(22)}
  --short-side N      pixels that the picture's shorter side is scaled to (default: the model's)
  --long-side N       pixels that its longer side must not pass (default: the model's)
  --flip              parse the mirrored picture too and combine both results, as in M2FP's published figures:
                      steadier labels and outlines, twice the time
  --min-score N       minimum score of persons and parts, 0.1 to 1: what scores less is doubtful, and neither counted nor
                      coloured (default: 0.5; for --format modelscope what its pipeline returns, from 0.1)
  --format NAME       what is printed, or written as JSON:
                        summary     persons and parts with boxes, areas and scores (default), as infer's msg.payload
                        modelscope  {labels, scores, masks} as ModelScope's pipeline, masks in COCO run-length encoding
                        full        msg.parsing without its image: persons and parts, also doubtful ones, with masks in
                                    COCO run-length encoding; labelMap and personMap, one byte per pixel (row by row),
                                    in base64
  --polygons          also outlines of persons and parts, as polygons: a list of {outer: [x, y, ...], holes}, largest
                      region first, in pixels (not with --format modelscope)
  --iou N             how well they overlap with the masks, 0.5 to 1 (default: 0.98); 1 keeps each step
  --out FILE          write the JSON to FILE instead; of many pictures the folder that gets all files
  --colorize FILE     also write the coloured picture: .png, .jpg or .webp; of several pictures a folder, which gets
                      a .png of each
  --max-megapixels N  millions of pixels that PICTURE may have (default: 64)
  --max-image-size N  MiB that the file may have (default: 32)
  --help              show this text

Options of many pictures:
  --make LIST         what is made of each, with commas between: json (default), colorize, redact, crop, mask, and export,
                      which adds it to a dataset in DIR/dataset
  --options JSON      how, of what --make makes, by the names that msg.m2fp has, or a file with that:
                      '{"redact": {"method": "fill"}, "export": {"format": "yolo-seg"}}'
  --watch             go on with pictures that come later, each when it has been left alone for four seconds, until
                      Ctrl+C
${ENGINE_HELP}
Examples:
  m2fp parse photos --out blurred --make redact
  m2fp parse photos --out set --make export --options '{"export": {"format": "coco", "content": "persons"}}'
  find photos -newer last -name '*.jpg' -print0 | m2fp parse - --out parsed --processes 0
`,
  run,
};

/** What is done with every picture. */
interface Work {
  images: string[];
  format: Format;
  options: ParseOptions;
  limits: ReturnType<typeof limitOptions>;
  iou: number | undefined;
  /** `--colorize`. */
  colored: string | undefined;
  /** `--out`. */
  file: string | undefined;
}

async function run(args: string[], terminal: Terminal): Promise<number> {
  const typed = readArguments(parse, args, {
    takes: ['PICTURE...'],
    options: OPTIONS,
    flags: ['flip', 'watch', 'polygons'],
  });
  const {
    arguments: images,
    options,
    flags: { watch = false, polygons = false, ...flags },
  } = typed;
  const format = choiceOption('format', options.format, Object.keys(FORMATS) as Format[]) ?? 'summary';
  const work: Work = {
    images,
    format,
    options: parseOptions(options, flags, format === 'modelscope' ? undefined : DEFAULT_MIN_SCORE),
    limits: limitOptions(options),
    iou: polygonIou(polygons, options.iou, format),
    colored: options.colorize,
    file: options.out,
  };
  const [image = '', ...more] = images;
  const isMany =
    watch || options.make !== undefined || (await Promise.all(images.map(meansMany))).includes(true);
  if (isMany) {
    checkWatched(images, watch);
    refuseOptions(options, ['colorize'], 'is of single pictures: say --make colorize');
    const { make, out } = options;
    const outputs = outputsOf(make ?? 'json');
    if (!outputs.includes('json')) {
      refuseOptions(
        { ...options, polygons: polygons || undefined },
        ['format', 'polygons'],
        `is of the JSON, and --make (${outputs.join(',')}) makes none: add json there, or leave it out here`,
      );
    }
    return parseBatch(
      {
        args: images,
        out,
        watch,
        outputs,
        options: options.options,
        format,
        parse: work.options,
        iou: work.iou,
        engine: engineChoice(options),
      },
      terminal,
    );
  }
  refuseOptions(
    options,
    ['options', 'processes', 'redis', 'queue', 'password-file'],
    'is of many pictures: name a folder, or say --make json',
  );
  if (more.length > 0) checkNames(work);
  else if (work.colored !== undefined) imageFormatOf(work.colored);
  const first = more.length > 0 ? undefined : await readImage(image, work.limits);
  const bar = new ProgressBar(terminal.err);
  const model = await folderOfModel(options.model ?? BUNDLED, storeOption(options), bar);
  const { engine } = await acquireEngine({ model, ...work.limits, timeout: 0 });
  try {
    if (first === undefined) return await parseAll(engine, work, terminal);
    await parseOne(engine, first, work, terminal);
    return 0;
  } finally {
    // No process is left behind.
    await shutdownEngines();
  }
}

async function parseOne(engine: Engine, image: Buffer, work: Work, { out, err }: Terminal): Promise<void> {
  const { format, colored, file } = work;
  const parsing = await parseImage(engine, image, work);
  const { fallback } = engine.info();
  if (fallback !== null) err.write(`m2fp: ${fallback}\n`);
  if (colored !== undefined) {
    await writeOutput(colored, (await colorize(parsing, { format: imageFormatOf(colored) })).image);
  }
  const result = await FORMATS[format](parsing);
  const json = `${JSON.stringify(result, undefined, format === 'full' ? 0 : 2)}\n`;
  if (file === undefined) out.write(json);
  else await writeOutput(file, json);
}

/** One after the other, with one engine; each one's line is written as soon as it is known. */
async function parseAll(engine: Engine, work: Work, { out, err }: Terminal): Promise<number> {
  const { images, format, colored, file } = work;
  if (colored !== undefined) await makeOutputFolder(colored);
  if (file !== undefined) await writeOutput(file, '');
  let failures = 0;
  for (const image of images) {
    let told: object;
    try {
      const parsing = await parseImage(engine, await readImage(image, work.limits), work);
      if (colored !== undefined) {
        await writeOutput(coloredName(colored, image), (await colorize(parsing, { format: 'png' })).image);
      }
      told = await FORMATS[format](parsing);
    } catch (error) {
      const { code, message } = asM2fpError(error, 'M2FP_BAD_IMAGE');
      // What is wrong with the model or the output is wrong for all.
      if (!isOfOneImage(code)) throw error;
      failures++;
      err.write(`m2fp: ${image}: ${code}: ${message}\n`);
      told = { error: { code, message } };
    }
    const line = `${JSON.stringify({ file: image, ...told })}\n`;
    if (file === undefined) out.write(line);
    else await writeOutput(file, line, 'a');
  }
  const { fallback } = engine.info();
  if (fallback !== null) err.write(`m2fp: ${fallback}\n`);
  return failures === 0 ? 0 : 1;
}

const coloredName = (folder: string, image: string) => join(folder, `${parsePath(image).name}.png`);

/** @throws M2fpError M2FP_BAD_OPTION where one coloured picture would take another's place */
function checkNames({ images, colored }: Work): void {
  if (colored === undefined) return;
  if (extname(colored).toLowerCase() in IMAGE_FORMATS) {
    throw new M2fpError(
      'M2FP_BAD_OPTION',
      `--colorize ${colored}: of several pictures the coloured ones go into a folder: name one`,
    );
  }
  const names = new Map<string, string>();
  for (const image of images) {
    const name = resolve(coloredName(colored, image));
    const other = names.get(name);
    if (other !== undefined || name === resolve(image)) {
      throw new M2fpError(
        'M2FP_BAD_OPTION',
        `--colorize ${colored}: ${image} would overwrite ${other === undefined ? 'itself' : `that of ${other}`}: ` +
          'take another folder, or another name',
      );
    }
    names.set(name, image);
  }
}

async function makeOutputFolder(folder: string): Promise<void> {
  try {
    await mkdir(folder, { recursive: true });
  } catch (error) {
    throw asM2fpError(error, 'M2FP_BAD_OPTION', 'The folder for the coloured pictures cannot be made');
  }
}

function imageFormatOf(file: string): ColorizeOptions['format'] {
  const format = IMAGE_FORMATS[extname(file).toLowerCase()];
  if (format === undefined) {
    const endings = Object.keys(IMAGE_FORMATS).join(', ');
    throw new M2fpError('M2FP_BAD_OPTION', `--colorize ${file}: the name must end in one of ${endings}`);
  }
  return format;
}

async function writeOutput(file: string, content: Buffer | string, flag: 'w' | 'a' = 'w'): Promise<void> {
  try {
    await writeFile(file, content, { flag });
  } catch (error) {
    throw asM2fpError(error, 'M2FP_BAD_OPTION', 'The result cannot be written');
  }
}
