/**
 * `npm run bench -- accuracy [--model DIR]... [--data FOLDER] [--limit N] [--short-side N] [--flip]`: how well a
 * model parses pictures whose truth is known.
 *
 * `--model` is the folder of a converted multi-human model, the bundled one by default; given more than once, each
 * has a column (fp16 against fp32, say). One column more has the first model on pictures that sharp resized.
 * `--data` is a folder in CIHP's layout (Images, Category_ids, Human_ids, Instance_ids), such as CIHP's Validation;
 * by default the committed drawn scenes of bench/scenes. `--limit` takes the first N pictures. `--short-side` scales
 * pictures to another size than the model's own. `--flip` adds a column for each model with flip test-time
 * augmentation.
 */
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { M2fpError } from '../../src/errors.ts';
import type { InputRule } from '../../src/m2fp/manifest.ts';
import { count } from '../options.ts';
import { type Figures, Judge } from './judge.ts';
import { listScenes, readScene } from './scenes.ts';
import { table } from './table.ts';
import { openVariants, type Variant } from './variant.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const BUNDLED_MODEL = join(ROOT, 'models', 'demo');
const COMMITTED_SCENES = join(ROOT, 'bench', 'scenes');
/** Scenes between two lines that tell how far it is. */
const PROGRESS = 50;

export interface AccuracyBench {
  /** Pictures judged. */
  scenes: number;
  /** Pictures left out because their truth has another size. */
  skipped: string[];
  variants: {
    name: string;
    model: { id: string; digest: string; precision: string };
    resize: Variant['resize'];
    flip: boolean;
    input: InputRule;
    figures: Figures;
  }[];
}

interface Options {
  models: string[];
  data: string;
  limit: number;
  shortSide: number | undefined;
  flip: boolean;
}

/** @throws M2FP_BAD_OPTION for anything but the options told above */
export function accuracyOptions(args: string[]): Options {
  let values;
  try {
    ({ values } = parseArgs({
      args,
      options: {
        model: { type: 'string', multiple: true },
        data: { type: 'string' },
        limit: { type: 'string' },
        'short-side': { type: 'string' },
        flip: { type: 'boolean', default: false },
      },
    }));
  } catch (error) {
    throw new M2fpError('M2FP_BAD_OPTION', (error as Error).message, { cause: error });
  }
  return {
    models: values.model ?? [BUNDLED_MODEL],
    data: values.data ?? COMMITTED_SCENES,
    limit: count('limit', values.limit) ?? Infinity,
    shortSide: count('short-side', values['short-side']),
    flip: values.flip,
  };
}

/** Judges the variants on one scene after the other. */
async function judgeAll(
  variants: readonly Variant[],
  data: string,
  files: readonly string[],
  log: (line: string) => void,
): Promise<AccuracyBench> {
  const judges = variants.map(({ labels }) => new Judge(labels));
  const skipped: string[] = [];
  for (const [i, file] of files.entries()) {
    const scene = await readScene(data, file);
    const { width, height } = scene.truth;
    for (const [v, variant] of variants.entries()) {
      const prediction = await variant.predict(scene.image);
      if (prediction.width !== width || prediction.height !== height) {
        log(
          `${file} left out: it is ${prediction.width} x ${prediction.height}, its truth ${width} x ${height}`,
        );
        skipped.push(file);
        break;
      }
      judges[v]!.add(scene, prediction);
    }
    if ((i + 1) % PROGRESS === 0) log(`${i + 1} of ${files.length} pictures`);
  }
  return {
    scenes: files.length - skipped.length,
    skipped,
    variants: variants.map(({ name, manifest: { id, digest, precision }, resize, flip, input }, v) => ({
      name,
      model: { id, digest, precision },
      resize,
      flip,
      input,
      figures: judges[v]!.figures(),
    })),
  };
}

export async function benchAccuracy(log: (line: string) => void, args: string[]): Promise<AccuracyBench> {
  const { models, data, limit, shortSide, flip } = accuracyOptions(args);
  const files = (await listScenes(data)).slice(0, limit);
  const variants: Variant[] = [];
  const opened: Variant[] = [];
  try {
    for (const [i, model] of models.entries()) {
      const ofModel = await openVariants(model, { shortSide, withFlip: flip, withSharp: i === 0 });
      variants.push(...ofModel);
      opened.push(...ofModel.slice(0, 1));
    }
    const result = await judgeAll(variants, data, files, log);
    for (const { name, resize, input } of result.variants) {
      const size =
        input.kind === 'short-side'
          ? `short side ${input.shortSide}, long side at most ${input.longSide}`
          : `${input.width} x ${input.height}`;
      log(
        `${name}: input ${size}, resized by ${resize === 'sharp' ? 'sharp (linear)' : "the product (Pillow's)"}`,
      );
    }
    log(`${result.scenes} pictures`);
    for (const line of table(result.variants)) log(line);
    return result;
  } finally {
    await Promise.all(opened.map((variant) => variant.close()));
  }
}
