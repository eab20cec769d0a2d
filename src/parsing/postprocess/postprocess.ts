/** The network's output -> persons, parts, label map and person map of the source picture. */
import type { ParseOptions } from '../types.ts';
import { M2fpError } from '../../errors.ts';
import type { NetworkInput } from '../../image/types.ts';
import type { ModelManifest } from '../../m2fp/manifest.ts';
import { MaskUpsampler, type MaskGeometry } from './mask-upsampler.ts';
import { meanSemantic, mergeInstances, mirroredLabels } from './flip.ts';
import { MIN_SCORE, findInstances, type Instance, splitInstances } from './instances.ts';
import { assignParts } from './assign-parts.ts';
import { type LabelRule, labelMap, personMap } from './label-map.ts';
import { BACKGROUND_INDEX, numberIn } from '../options/options.ts';
import { runsToRle } from '../masks/rle.ts';
import { type Runs, runsArea, runsBox, runsByLabel } from '../masks/runs.ts';
import { semanticLabels } from './semantic.ts';
import type { Box, Parsing, Part, Person, Rle } from '../types.ts';

/** A row-major tensor without a batch axis. */
export interface Tensor {
  data: Float32Array;
  dims: readonly number[];
}

/** What the graph computes; "padded" is the next multiple of 32 of the network input's size. */
export interface NetworkOutput {
  /** [queries, classes + 1], the last column "no object". `multi` needs it. */
  logits?: Tensor;
  /** [queries, padded height / 4, padded width / 4], mask logits. `multi` needs it. */
  masks?: Tensor;
  /** [classes, padded height, padded width]: sum over queries of p * sigmoid(mask). `single` needs it. */
  semantic?: Tensor;
}

/** All of a parsing that the network's output decides. */
export type PostprocessResult = Omit<Parsing, 'image' | 'model' | 'cached' | 'timing'>;

/** The minimum score of infer nodes and of `m2fp parse` that are told none. */
export const DEFAULT_MIN_SCORE = 0.5;
/** M2FP's own bar for a pixel to enter the label map, where the model's manifest has none. */
export const MAP_CONFIDENCE = 0.5;
/** A label map holds bytes, of which checkParsing keeps two free. */
const MAX_LABELS = 254;

function padded(size: number): number {
  return Math.ceil(size / 32) * 32;
}

/** `output[name]` where its shape is `shape` (null = any size). @throws M2fpError M2FP_MODEL_INVALID otherwise. */
function tensor(
  output: NetworkOutput,
  name: keyof NetworkOutput,
  model: ModelManifest,
  shape: (number | null)[],
): Tensor {
  const found = output[name];
  const expected = `[${shape.map((size) => size ?? 'any').join(', ')}]`;
  const fits =
    found !== undefined &&
    found.dims.length === shape.length &&
    found.dims.every((size, i) => shape[i] === null || shape[i] === size) &&
    found.data.length === found.dims.reduce((product, size) => product * size, 1);
  if (!fits) {
    const given = found === undefined ? 'nothing' : `[${found.dims.join(', ')}]`;
    throw new M2fpError(
      'M2FP_MODEL_INVALID',
      `The model "${model.id}" gave ${given} as "${name}" where ${expected} was expected: convert the checkpoint again.`,
    );
  }
  return found;
}

/**
 * The least score of parts and persons that `options` ask for, undefined where they do not.
 * @throws M2fpError M2FP_BAD_OPTION for anything but a number from 0.1 to 1.
 */
export function scoreThresholdOf(options: Pick<ParseOptions, 'scoreThreshold'>): number | undefined {
  const { scoreThreshold } = options;
  if (scoreThreshold === undefined) return undefined;
  return numberIn('scoreThreshold', scoreThreshold, { min: MIN_SCORE, max: 1 }, MIN_SCORE);
}

function region(runs: Runs, width: number, height: number): { box: Box; area: number; mask: Rle } {
  return { box: runsBox(runs, height), area: runsArea(runs), mask: runsToRle(runs, width, height) };
}

/** Highest score first; equal ones as they were. */
function byScore(a: { score: number }, b: { score: number }): number {
  return b.score - a.score;
}

/** An instance of one view, or one that was merged of several. */
type Found = Omit<Instance, 'columns'>;

/** Of the picture and, for {@link ParseOptions.flip}, of its mirror image. */
interface Views {
  output: NetworkOutput;
  mirrored: NetworkOutput | undefined;
}

function parseMulti(
  { output, mirrored }: Views,
  input: NetworkInput,
  model: ModelManifest,
  threshold: number | undefined,
): PostprocessResult {
  const { width, height } = input.source;
  const { labels, humanIndex } = model;
  const geometry: MaskGeometry = {
    maskWidth: padded(input.width) / 4,
    maskHeight: padded(input.height) / 4,
    networkWidth: input.width,
    networkHeight: input.height,
    width,
    height,
  };
  const sampler = new MaskUpsampler(geometry);
  const seen = (view: NetworkOutput, swapped?: readonly number[]) => {
    const logits = tensor(view, 'logits', model, [null, labels.length + 1]);
    const queries = logits.dims[0]!;
    const masks = tensor(view, 'masks', model, [queries, geometry.maskHeight, geometry.maskWidth]);
    const shape = { queries, classes: labels.length };
    return findInstances(logits.data, masks.data, shape, geometry, sampler, swapped);
  };
  const views = [seen(output), ...(mirrored ? [seen(mirrored, mirroredLabels(labels))] : [])];
  const { certain, doubtful } = splitInstances(
    mirrored ? mergeInstances(views.flat(), sampler, height) : views.flat(),
    humanIndex,
    threshold ?? MIN_SCORE,
  );

  const regions = new Map<Runs, ReturnType<typeof region>>();
  const regionOf = ({ runs }: { runs: Runs }) => {
    let known = regions.get(runs);
    if (known === undefined) regions.set(runs, (known = region(runs, width, height)));
    return { box: { ...known.box }, area: known.area, mask: { ...known.mask } };
  };

  const seenPersons = certain.persons.toSorted(byScore);
  const allPersons = [...seenPersons, ...doubtful.persons.toSorted(byScore)];
  const persons = allPersons.map((instance, i): Person => ({
    id: i + 1,
    score: instance.score,
    ...regionOf(instance),
  }));
  const parts = [...byPerson(certain.parts, seenPersons), ...byPerson(doubtful.parts, allPersons)].map(
    ({ instance, owner }, i): Part => ({
      id: i + 1,
      label: labels[instance.index]!,
      index: instance.index,
      person: owner === null ? null : owner + 1,
      score: instance.score,
      ...regionOf(instance),
    }),
  );
  const rule: LabelRule =
    threshold === undefined
      ? { minScore: model.scoreThreshold, minConfidence: model.mapConfidence ?? MAP_CONFIDENCE }
      : { minScore: threshold, minConfidence: 0 };
  return {
    width,
    height,
    network: { width: input.width, height: input.height },
    labels: [...labels],
    labelMap: labelMap(views, humanIndex, rule, sampler, input.source),
    personMap: personMap(
      seenPersons.map(({ runs }) => runs),
      width,
      height,
    ),
    persons: persons.slice(0, seenPersons.length),
    parts: parts.slice(0, certain.parts.length),
    doubtful: {
      persons: persons.slice(seenPersons.length),
      parts: parts.slice(certain.parts.length),
    },
  };
}

/** The parts with the index of their person, by person, those of nobody last, then by falling score. */
function byPerson(
  parts: readonly Found[],
  persons: readonly Found[],
): { instance: Found; owner: number | null }[] {
  const owners = assignParts(parts, persons);
  return parts
    .map((instance, i) => ({ instance, owner: owners[i] ?? null }))
    .toSorted((a, b) => (a.owner ?? Infinity) - (b.owner ?? Infinity) || byScore(a.instance, b.instance));
}

function parseSingle(
  { output, mirrored }: Views,
  input: NetworkInput,
  model: ModelManifest,
  threshold: number | undefined,
): PostprocessResult {
  const { width, height } = input.source;
  const { labels } = model;
  const { crop } = input;
  const paddedWidth = padded(input.width);
  const paddedHeight = padded(input.height);
  const classes = labels.length;
  const seen = (view: NetworkOutput) =>
    tensor(view, 'semantic', model, [classes, paddedHeight, paddedWidth]).data;
  const own = { semantic: seen(output), classes, paddedWidth, paddedHeight, crop };
  const semantic = mirrored ? meanSemantic(own, seen(mirrored), mirroredLabels(labels)) : own.semantic;
  const { labelMap: map, scores } = semanticLabels({ ...own, semantic, width, height });
  const parts: Part[] = [...runsByLabel(map, width, height)].map(([index, runs]) => {
    return {
      id: 0,
      label: labels[index]!,
      index,
      person: null,
      score: scores[index]!,
      ...region(runs, width, height),
    };
  });
  const certain = parts.filter(({ score }) => score >= (threshold ?? 0));
  const doubtful = parts.filter((part) => !certain.includes(part));
  [...certain, ...doubtful].forEach((part, i) => (part.id = i + 1));
  if (doubtful.length > 0) {
    const shown = new Set(certain.map(({ index }) => index));
    const table = Uint8Array.from({ length: classes }, (_, i) => (shown.has(i) ? i : BACKGROUND_INDEX));
    for (let p = 0; p < map.length; p++) map[p] = table[map[p]!]!;
  }
  return {
    width,
    height,
    network: { width: crop.width, height: crop.height },
    labels: [...labels],
    labelMap: map,
    personMap: Buffer.alloc(width * height),
    persons: [],
    parts: certain,
    doubtful: { persons: [], parts: doubtful },
  };
}

/**
 * Turns the network's output into persons, parts and maps of the source picture. Masks, labels and scores of
 * `parts` and `persons` together are what ModelScope's pipeline returns for the same weights and picture; their
 * order, the link from part to person, and the maps are ours:
 *
 * - `multi`: persons by falling score, at most 100; parts by person (those of nobody last), then by falling
 *   score. A person or part may be there more than once, as in ModelScope's result. `labelMap` is the argmax of
 *   M2FP's own per-class map, which takes only instances of the model's score threshold and only pixels it is
 *   confident of (`mapConfidence`). With `options.scoreThreshold` one threshold holds for all: parts and persons
 *   below it lie apart in `doubtful`, and `labelMap` shows every instance that reaches it, the whole of its mask.
 *   `personMap` shows the person with the higher score where two overlap. Parts that reach the threshold belong to
 *   persons that reach it, or to nobody (those of a doubtful person); doubtful parts may belong to any person.
 * - `single`: one part per label in the picture, by label index, the background among them (index 0), as
 *   ModelScope returns it; no persons, `person` null, `personMap` all 0. Parts below `options.scoreThreshold` are
 *   doubtful, and background in `labelMap`; the score says little here (see SemanticResult.scores).
 *
 * With `mirrored` the result is that of both, as flip.ts says: `labelMap` by the mean of the two class maps, parts
 * and persons merged (those whose score fell below 0.1 left out).
 *
 * @param mirrored what the network made of the mirror image of `input`
 * @throws M2fpError M2FP_BAD_OPTION for a bad `scoreThreshold`; M2FP_MODEL_INVALID where the output's shapes do
 *   not fit the model and the input.
 */
export function postprocess(
  output: NetworkOutput,
  input: NetworkInput,
  model: ModelManifest,
  options: ParseOptions = {},
  mirrored?: NetworkOutput,
): PostprocessResult {
  const threshold = scoreThresholdOf(options);
  if (model.labels.length > MAX_LABELS) {
    throw new M2fpError('M2FP_MODEL_INVALID', `The model "${model.id}" has more than ${MAX_LABELS} labels.`);
  }
  const parse = model.kind === 'multi' ? parseMulti : parseSingle;
  return parse({ output, mirrored }, input, model, threshold);
}
