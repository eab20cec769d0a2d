/** The options of a data set and of what is put into it: what each means, and which values are allowed. */
import {
  type GivenOptions,
  number,
  oneOf,
  type OptionValues,
  readOptions,
  whole,
} from '../parsing/options/option-table.ts';
import { DEFAULT_IOU } from '../parsing/masks/polygons.ts';

/** Formats by the names that people search for. */
export const EXPORT_FORMATS = [
  'coco',
  'coco-panoptic',
  'yolo-seg',
  'voc',
  'labelme',
  'cvat',
  'label-studio',
  'cihp',
] as const;
export type ExportFormat = (typeof EXPORT_FORMATS)[number];

/** What holds for a whole data set: it cannot change once the set has a picture. */
export const DATA_SET_OPTIONS = {
  format: oneOf(EXPORT_FORMATS, 'coco'),
  /**
   * What is annotated. `parts`: each part of each person. `garments`: only what is worn, left and right as one category.
   * `persons`: each whole person. CIHP's layout always has parts and persons.
   */
  content: oneOf(['parts', 'garments', 'persons'], 'parts'),
  /**
   * `polygons`, or `masks`: the very pixels, in the form that the format has for them. Formats that have only the one take
   * no notice.
   */
  shapes: oneOf(['polygons', 'masks'], 'polygons'),
  /** How well polygons meet the masks: pixels in both, by pixels in either. */
  iou: number(0.5, 1, DEFAULT_IOU),
  /** Percent of the pictures that are for validation: of those so far, to one. Which ones follows from the pictures and their order. */
  validation: whole(0, 90, 0),
};

/** What may differ from picture to picture. */
export const PICTURE_OPTIONS = {
  /** Parts and persons of a lower score are left out. */
  minScore: number(0, 1, 0),
  /** What becomes of a picture that the set has already. */
  duplicates: oneOf(['replace', 'skip'], 'replace'),
  /** `auto`: by the share for validation. */
  subset: oneOf(['auto', 'train', 'val'], 'auto'),
};

export type DataSetOptions = GivenOptions<typeof DATA_SET_OPTIONS>;
export type DataSetPlan = OptionValues<typeof DATA_SET_OPTIONS>;
export type PictureOptions = GivenOptions<typeof PICTURE_OPTIONS>;

/** @throws {M2fpError} `M2FP_BAD_OPTION` naming the option that is wrong */
export function readDataSetOptions(options: DataSetOptions | undefined): DataSetPlan {
  const plan = readOptions(DATA_SET_OPTIONS, options);
  return plan.format === 'cihp' ? { ...plan, content: 'parts' } : plan;
}
