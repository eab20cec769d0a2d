/** What a data set's folder tells whoever opens it. */
import type { DataSetView } from '../formats/format.ts';

/** @param text about the format */
export function readmeOf(view: DataSetView, text: string): string {
  const { plan, categories } = view;
  const { content, shapes, iou } = plan;
  const shape =
    shapes === 'polygons' && HAS_POLYGONS.has(plan.format)
      ? `Polygons are simplified as far as they still meet their mask by an IoU of ${iou} (pixels in both, by pixels in either).\n`
      : '';
  return `Made by M2FP for Node-RED (https://github.com/m2fp-node-red/node-red-human-parsing). Nobody has checked these annotations.

${text}
Content: ${content}; ${categories.length} categories, ${view.count()} pictures.
${shape}JPEG pictures are as they came, without their metadata; what was to be turned is turned; others are PNG.
The hidden folder .m2fp is what more pictures are added by: without it, no more can be.
`;
}

const HAS_POLYGONS = new Set(['coco', 'yolo-seg', 'labelme', 'cvat', 'label-studio']);
