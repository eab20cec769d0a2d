/** `--polygons` and `--iou`. */
import { M2fpError } from '../errors.ts';
import { IOU_OPTION } from '../parsing/polygonize.ts';
import { numberOption, rangeOf } from './command.ts';

/**
 * How well polygons are to meet the masks; undefined where none are wanted.
 * @param format what is printed
 * @throws {M2fpError} `M2FP_BAD_OPTION`, by the option's name
 */
export function polygonIou(wanted: boolean, iou: string | undefined, format: string): number | undefined {
  if (!wanted) {
    if (iou === undefined) return undefined;
    throw new M2fpError(
      'M2FP_BAD_OPTION',
      '--iou says how well polygons meet the masks: give --polygons, too',
    );
  }
  if (format === 'modelscope') {
    throw new M2fpError('M2FP_BAD_OPTION', '--polygons: --format modelscope has none, take summary or full');
  }
  return IOU_OPTION.read('iou', numberOption('iou', iou, rangeOf(IOU_OPTION)));
}
