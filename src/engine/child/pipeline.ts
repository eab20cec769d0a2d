/** From the picture to the parsing: what the child process does for each request. */
import { M2fpError } from '../../errors.ts';
import { DEFAULT_LIMITS } from '../../image/limits.ts';
import { mirrorInput } from '../../image/mirror.ts';
import { preprocess } from '../../image/preprocess.ts';
import type { ImageLimits, NetworkInput } from '../../image/types.ts';
import type { ModelManifest } from '../../m2fp/manifest.ts';
import { postprocess } from '../../parsing/index.ts';
import { intactManifest } from '../../store/manifest.ts';
import { ruleFor } from '../input-image.ts';
import type { ChildParsing } from '../protocol.ts';
import type { Loaders } from './runtime.ts';
import { openSession, type Session } from './session.ts';
import type { ParseOptions } from '../../parsing/types.ts';
import { blankImage } from './warm-up.ts';

export interface Pipeline {
  readonly provider: string;
  /** See {@link Session.fallback}. */
  readonly fallback: string | null;
  /**
   * @param image an encoded picture, or network input that was checked
   * @throws what preprocess, the session and postprocess throw
   */
  parse(image: Buffer | NetworkInput, options: ParseOptions, limits?: ImageLimits): Promise<ChildParsing>;
  /** Parses a blank picture of the model's usual size: the first run of a session is slower than the next. */
  warmUp(): Promise<void>;
  close(): Promise<void>;
}

/** The steps on an open session. */
export function createPipeline(session: Session, manifest: ModelManifest): Pipeline {
  const pipeline: Pipeline = {
    provider: session.provider,
    fallback: session.fallback,
    async parse(image, options, limits = DEFAULT_LIMITS) {
      const { input, timing } = Buffer.isBuffer(image)
        ? await preprocess(image, ruleFor(manifest.input, options), limits)
        : { input: image, timing: { decode: 0, preprocess: 0 } };
      const { inferenceMs, ...output } = await session.run(input);
      const mirrored = options.flip ? await session.run(mirrorInput(input)) : undefined;
      const begun = performance.now();
      const result = postprocess(output, input, manifest, options, mirrored);
      const inference = inferenceMs + (mirrored?.inferenceMs ?? 0);
      return { ...result, timing: { ...timing, inference, postprocess: performance.now() - begun } };
    },
    async warmUp() {
      await pipeline.parse(await blankImage(manifest.input), {});
    },
    close: () => session.close(),
  };
  return pipeline;
}

/**
 * Loads the model in the folder.
 *
 * @param digest what the model must have, because results carry it
 * @throws M2FP_MODEL_NOT_FOUND, M2FP_MODEL_INVALID, M2FP_ENGINE_UNAVAILABLE
 */
export async function openPipeline(
  model: string,
  digest: string,
  threads: number,
  loaders?: Loaders,
): Promise<Pipeline> {
  const manifest = await intactManifest(model);
  if (manifest.digest !== digest) {
    throw new M2fpError(
      'M2FP_MODEL_INVALID',
      `The model in ${model} was replaced by another one while it was in use: reload it.`,
    );
  }
  return createPipeline(await openSession(model, threads, loaders), manifest);
}
