/**
 * `node bench/accuracy/card.ts --export FOLDER [--model DIR]`: measures the bundled model (or that of DIR) and writes
 * its figures into its card, the README.md beside it.
 *
 * FOLDER is what `models/training/export.py FOLDER --precision fp32` wrote and the bundled model was converted from.
 * It is converted here once more, with weights in single precision, to tell what half precision costs.
 */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { format, resolveConfig } from 'prettier';
import sharp from 'sharp';
import { openPipeline } from '../../src/engine/child/pipeline.ts';
import type { ParseOptions } from '../../src/parsing/types.ts';
import { M2fpError } from '../../src/errors.ts';
import type { ModelManifest } from '../../src/m2fp/manifest.ts';
import { bundledModelFolder } from '../../src/paths.ts';
import { convertCheckpoint } from '../../src/store/convert.ts';
import { sha256File } from '../../src/store/digest.ts';
import { readManifest } from '../../src/store/manifest.ts';
import { type Column, factsText, figuresText, type Measured, type Training, withBlock } from './card-text.ts';
import { benchAccuracy } from './index.ts';

/** The fastest round counts: what else the machine does only makes slower. */
const ROUNDS = 9;
const LOADS = 3;
const SIDE = 640;

function sidesOf({ id, input }: ModelManifest): { shortSide: number; longSide: number } {
  if (input.kind !== 'short-side') {
    throw new M2fpError('M2FP_BAD_OPTION', `The model ${id} does not scale the shorter side.`);
  }
  return { shortSide: input.shortSide, longSide: input.longSide };
}

async function fastest(rounds: number, work: () => Promise<void>): Promise<number> {
  let best = Infinity;
  for (let round = 0; round < rounds; round++) {
    const begun = performance.now();
    await work();
    best = Math.min(best, performance.now() - begun);
  }
  return best / 1000;
}

/** Seconds of loading and of parsing one picture. */
async function speed(
  folder: string,
  { digest }: ModelManifest,
  threads: number,
): Promise<Pick<Measured, 'load' | 'scaled' | 'full'>> {
  const image = await sharp(join(folder, 'samples', 'two-people.png'))
    .resize(SIDE, SIDE)
    .png()
    .toBuffer();
  const load = await fastest(LOADS, async () => (await openPipeline(folder, digest, threads)).close());
  const pipeline = await openPipeline(folder, digest, threads);
  try {
    const parse = async (options: ParseOptions) => {
      await pipeline.parse(image, options);
      return fastest(ROUNDS, async () => {
        await pipeline.parse(image, options);
      });
    };
    return { load, scaled: await parse({}), full: await parse({ shortSide: SIDE, longSide: SIDE }) };
  } finally {
    await pipeline.close();
  }
}

const { values } = parseArgs({ options: { export: { type: 'string' }, model: { type: 'string' } } });
const source = values.export;
if (source === undefined) {
  throw new M2fpError('M2FP_BAD_OPTION', 'Usage: node bench/accuracy/card.ts --export FOLDER');
}
const folder = values.model ?? bundledModelFolder();
const manifest = await readManifest(folder);
if ((await sha256File(join(source, 'pytorch_model.pt'))) !== manifest.source.sha256) {
  throw new M2fpError('M2FP_BAD_OPTION', `${folder} was not converted from ${source}: convert it again.`);
}
const sides = sidesOf(manifest);
const training = JSON.parse(await readFile(join(source, 'training.json'), 'utf8')) as Training;
const threads = availableParallelism();
const measured = await speed(folder, manifest, threads);
const temporary = await mkdtemp(join(tmpdir(), 'm2fp-card-'));
try {
  const unrounded = join(temporary, 'fp32');
  await convertCheckpoint({ source, out: unrounded, id: manifest.id, precision: 'fp32', ...sides });
  const log = (line: string) => console.log(line);
  const { scenes, variants } = await benchAccuracy(log, ['--model', folder, '--model', unrounded, '--flip']);
  const column = (name: string, precision: string, resize: string, flip: boolean): Column => {
    const variant = variants.find(
      (v) => v.model.precision === precision && v.resize === resize && v.flip === flip,
    );
    return { name, figures: variant!.figures };
  };
  const columns = [
    column('as it ships', 'fp16', 'pillow', false),
    column('single precision', 'fp32', 'pillow', false),
    column('with flip', 'fp16', 'pillow', true),
    column("sharp's resize", 'fp16', 'sharp', false),
  ];
  const bytes = Object.values(manifest.files).reduce((sum, { size }) => sum + size, 0);
  const card = join(folder, 'README.md');
  const facts = withBlock(
    await readFile(card, 'utf8'),
    'facts',
    factsText({ bytes, shortSide: sides.shortSide, training, threads, ...measured }),
  );
  const text = withBlock(facts, 'figures', figuresText(scenes, columns));
  await writeFile(card, await format(text, { ...(await resolveConfig(card)), filepath: card }));
} finally {
  await rm(temporary, { recursive: true, force: true });
}
