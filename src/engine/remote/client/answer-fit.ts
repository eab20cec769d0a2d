/** What a request and its model settle of the answer, whoever parses the picture. */
import { targetSize } from '../../../image/preprocess.ts';
import { isNetworkInput } from '../../../image/network-input.ts';
import type { ModelManifest } from '../../../m2fp/manifest.ts';
import { BACKGROUND_INDEX } from '../../../parsing/options/options.ts';
import { MIN_SCORE } from '../../../parsing/postprocess/instances.ts';
import { ruleFor } from '../../input-image.ts';
import type { NetworkInput } from '../../../image/types.ts';
import type { ParseOptions } from '../../../parsing/types.ts';
import type { ChildParsing } from '../../protocol.ts';

/** The model, as far as it settles what an answer may hold. */
export type AskedModel = Pick<ModelManifest, 'kind' | 'labels' | 'humanIndex' | 'input'>;

export interface Asked {
  /** An encoded picture, or network input. */
  image: Buffer | NetworkInput;
  options: ParseOptions;
}

/**
 * Says what in a parsing contradicts the request that it answers; null where nothing does. Scores travel as they were
 * compared, as doubles, so that there is no rounding to allow for. Whether the picture was parsed mirrored, too, shows
 * in no answer.
 */
export function misfit(parsing: ChildParsing, request: Asked, model: AskedModel): string | null {
  const { labels, persons, parts, doubtful } = parsing;
  if (labels.length !== model.labels.length || labels.some((label, index) => label !== model.labels[index])) {
    return 'its labels are not those of the model';
  }
  const all = [...parts, ...doubtful.parts];
  if (model.kind === 'single') {
    if (persons.length + doubtful.persons.length > 0) return 'it has persons, and the model finds none';
    if (new Set(all.map(({ index }) => index)).size < all.length) return 'a label has two parts';
  } else {
    const other = all.find(({ index }) => index === BACKGROUND_INDEX || index === model.humanIndex);
    if (other) return `"${other.label}" is no part`;
  }
  return (
    scoreMisfit(parsing, request, model) ??
    networkMisfit(parsing, request, model) ??
    mapMisfit(parsing, request, model)
  );
}

function scoreMisfit(
  { persons, parts, doubtful }: ChildParsing,
  { options }: Asked,
  { kind }: AskedModel,
): string | null {
  // Of single persons, ModelScope's result holds every label that is in the picture.
  const least = kind === 'single' ? 0 : MIN_SCORE;
  const minimum = options.scoreThreshold ?? least;
  for (const [name, found] of Object.entries({ persons, parts })) {
    const low = found.find(({ score }) => score < minimum);
    if (low) return `${name} holds a score of ${low.score}, and at least ${minimum} was asked for`;
    const unsure = doubtful[name as 'persons' | 'parts'];
    const high = unsure.find(({ score }) => score >= minimum);
    if (high) return `doubtful.${name} holds a score of ${high.score}, which is not below ${minimum}`;
    const none = unsure.find(({ score }) => score < least);
    if (none) return `doubtful.${name} holds a score of ${none.score}, and the least there is, is ${least}`;
  }
  return null;
}

/** Only what postprocessing guarantees: maps may well leave out what stands behind something else. */
function mapMisfit(
  { labelMap, personMap, persons, parts }: ChildParsing,
  { options }: Asked,
  { labels, humanIndex }: AskedModel,
): string | null {
  if (humanIndex !== null && labelMap.includes(humanIndex)) {
    return `its label map holds "${labels[humanIndex]}", which is no part`;
  }
  const best = Math.max(...persons.map(({ score }) => score));
  const hasPixels = ({ score, area }: ChildParsing['persons'][number], index: number): boolean =>
    score === best && (area === 0 || personMap.includes(index + 1));
  if (persons.length > 0 && !persons.some(hasPixels)) {
    return 'its person map has nothing of the person that it is surest of';
  }
  // Without a minimum, and with the mirror image, the map goes by a confidence of its own.
  const goesByParts = options.scoreThreshold !== undefined && options.flip !== true;
  if (goesByParts && parts.some(({ area }) => area > 0) && !labelMap.some((index) => index > 0)) {
    return 'its label map is blank, and it has parts';
  }
  return null;
}

function networkMisfit(
  { width, height, network }: ChildParsing,
  { image, options }: Asked,
  { kind, input }: AskedModel,
): string | null {
  // Workers of an older version do not tell it.
  if (network === undefined) return null;
  const target = isNetworkInput(image) ? image : targetSize(ruleFor(input, options), width, height);
  // The padding is no part of what the network saw of the picture.
  const seen = kind === 'single' ? target.crop : target;
  if (network.width === seen.width && network.height === seen.height) return null;
  return `its network input has ${network.width} x ${network.height} pixels, and ${seen.width} x ${seen.height} were asked for`;
}
