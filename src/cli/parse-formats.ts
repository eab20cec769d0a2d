/** What `m2fp parse` prints of a parsing, and how it parses for it. */
import { ruleFor } from '../engine/input-image.ts';
import type { Engine, ParseOptions } from '../engine/index.ts';
import type { QueueOptions } from '../engine/types.ts';
import { limitsFrom, preprocess } from '../image/index.ts';
import type { ImageLimits } from '../image/types.ts';
import { type Parsing, summarize, toModelScope } from '../parsing/index.ts';
import { withPolygons } from '../parsing/polygonize.ts';

/** What `--format` chooses from. */
export const FORMATS = {
  summary: summarize,
  modelscope: toModelScope,
  full: ({ image: _image, labelMap, personMap, ...rest }: Parsing) => ({
    ...rest,
    labelMap: labelMap.toString('base64'),
    personMap: personMap.toString('base64'),
  }),
};

export type Format = keyof typeof FORMATS;

export interface ParseWork {
  format: Format;
  options: ParseOptions;
  limits: Partial<ImageLimits>;
  /** How well polygons meet the masks; undefined: no polygons. */
  iou: number | undefined;
  queue?: QueueOptions;
}

/** ModelScope's pipeline sees the colours that transparency hides: what is compared with it must see them, too. */
export async function parseImage(
  engine: Engine,
  image: Buffer,
  { format, options, limits, iou, queue }: ParseWork,
): Promise<Parsing> {
  const waiting = queue === undefined ? {} : { queue };
  if (format !== 'modelscope') {
    const parsing = await engine.parse({ image, options, ...waiting });
    return iou === undefined ? parsing : withPolygons(parsing, iou);
  }
  const rule = ruleFor(engine.info().manifest.input, options);
  const { input } = await preprocess(image, rule, limitsFrom(limits), 'drop');
  return engine.parse({ image: input, options, ...waiting });
}
