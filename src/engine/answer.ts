/** What the engine makes of a child's answer. */
import type { ModelManifest } from '../m2fp/manifest.ts';
import type { Parsing } from '../parsing/types.ts';
import type { Job } from './job.ts';
import { asBuffer, type ChildParsing } from './protocol.ts';

/** The parsing that the caller of `job` gets, `now` by the engine's clock. */
export function completeParsing(
  parsing: ChildParsing,
  job: Job,
  { id, digest, precision }: ModelManifest,
  provider: string,
  now: number,
): Parsing {
  const { width, height, labels, persons, parts } = parsing;
  const { decode, preprocess, inference, postprocess } = parsing.timing;
  return {
    image: job.picture.source,
    width,
    height,
    labels,
    labelMap: asBuffer(parsing.labelMap),
    personMap: asBuffer(parsing.personMap),
    persons,
    parts,
    model: { id, digest, precision, provider },
    cached: false,
    timing: {
      queue: job.queued,
      decode,
      preprocess,
      inference,
      postprocess,
      total: now - job.since,
    },
  };
}
