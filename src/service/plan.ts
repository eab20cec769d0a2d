/** What an answer will be, as far as that is known before there is a parsing. */
import { readOptions } from '../parsing/options/option-table.ts';
import { badOption } from '../parsing/options/options.ts';
import { ANSWER_OPTIONS, type AnswerOptions, type AnswerPlan, type Format } from './answer-options.ts';
import { isPicture, negotiate, type PictureFormat } from './negotiate.ts';

export interface Asked {
  /** The header; absent: anything. */
  accept?: string | undefined;
  /** What the client said, which goes before `defaults`. */
  options?: AnswerOptions;
  /** `format` of it is what a client gets that accepts it and has not asked for another. */
  defaults?: AnswerOptions;
}

export interface PlannedAnswer {
  plan: AnswerPlan;
  format: Format;
}

/**
 * Reads what was asked for, and refuses what no picture could make good.
 * @throws {M2fpError} `M2FP_BAD_OPTION` naming the option, `M2FP_NOT_ACCEPTABLE`
 */
export function planAnswer({ accept, options = {}, defaults = {} }: Asked): PlannedAnswer {
  const plan = readOptions(ANSWER_OPTIONS, { ...defaults, ...options, format: options.format });
  if (Array.isArray(plan.labels) && plan.labels.length === 0)
    throw badOption(
      'labels',
      options.labels ?? plan.labels,
      'names of labels, with commas between them; without it: all',
    );
  const { formats, reason } = pictureFormats(plan);
  const wanted = plan.format;
  if (wanted === undefined)
    return { plan, format: negotiate(accept, { preferred: defaults.format, pictures: formats, reason }) };
  if (isPicture(wanted) && !formats.includes(wanted))
    throw badOption('format', wanted, `${formats.join(' or ')} where ${reason}`);
  return { plan, format: wanted };
}

const ALL = ['png', 'webp', 'jpeg'] as const satisfies readonly PictureFormat[];

/** What the picture can be encoded as, and why that is not everything: JPEG has no transparency. */
function pictureFormats(plan: AnswerPlan): { formats: readonly PictureFormat[]; reason: string } {
  const { view, method, cutout, background } = plan;
  switch (view) {
    case 'labels':
      return { formats: ['png'], reason: '"view" is "labels"' };
    case 'redacted':
      return method === 'remove' ? transparent('"method" is "remove"') : anything();
    case 'crop':
      return cutout ? transparent('"cutout" is true') : anything();
    default:
      return background === 'remove' || background === 'transparent'
        ? transparent(`"background" is "${background}"`)
        : anything();
  }
}

const anything = () => ({ formats: ALL, reason: '' });
const transparent = (reason: string) => ({ formats: ['png', 'webp'] as const, reason });
