/** What the engine makes of the answer of a child, or of a worker. */
import type { ModelManifest } from '../../m2fp/manifest.ts';
import type { Parsing } from '../../parsing/types.ts';
import type { Job } from './job.ts';
import { asBuffer, type ChildParsing } from '../protocol.ts';

/** What the answer does not tell. */
export interface AnswerFacts {
  manifest: ModelManifest;
  provider: string;
  /** Milliseconds that the picture waited. */
  queue: number;
  /** By the engine's clock. */
  now: number;
}

/** The parsing that the caller of `job` gets. */
export function toParsing(
  parsing: ChildParsing,
  job: Job,
  { manifest: { id, digest, precision }, provider, queue, now }: AnswerFacts,
): Parsing {
  const { width, height, network, labels, persons, parts, doubtful } = parsing;
  const { decode, preprocess, inference, postprocess } = parsing.timing;
  return {
    image: job.image.source,
    width,
    height,
    // A worker of an older version does not tell it.
    ...(network && { network }),
    labels,
    labelMap: asBuffer(parsing.labelMap),
    personMap: asBuffer(parsing.personMap),
    persons,
    parts,
    doubtful,
    model: { id, digest, precision, provider },
    cached: false,
    timing: {
      queue,
      decode,
      preprocess,
      inference,
      postprocess,
      total: now - job.since,
    },
  };
}
