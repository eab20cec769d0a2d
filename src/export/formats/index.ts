/** The formats by their names. */
import type { ExportFormat } from '../export-options.ts';
import { cihp } from './cihp.ts';
import { coco } from './coco.ts';
import { cocoPanoptic } from './coco-panoptic.ts';
import { cvat } from './cvat.ts';
import type { Format } from './format.ts';
import { labelStudio } from './label-studio.ts';
import { labelme } from './labelme.ts';
import { voc } from './voc.ts';
import { yoloSeg } from './yolo-seg.ts';

export const FORMATS: Readonly<Record<ExportFormat, Format>> = {
  coco,
  'coco-panoptic': cocoPanoptic,
  'yolo-seg': yoloSeg,
  voc,
  labelme,
  cvat,
  'label-studio': labelStudio,
  cihp,
};
