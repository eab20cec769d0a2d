/** One parsing as a COCO data set (https://cocodataset.org/#format-data). */
import { cocoAnnotation, cocoCategory, cocoImage } from '../export/formats/coco.ts';
import { BACKGROUND_INDEX, personIndex } from '../parsing/options/options.ts';
import type { Parsing, Part, Person } from '../parsing/types.ts';
import type { AnswerPlan } from './answer-options.ts';

/** The only picture of the set. */
const IMAGE_ID = 1;

/**
 * Categories are the model's labels, by their index; each part is an annotation, and each person, of the category that the
 * model has for whole persons.
 */
export async function cocoOf(parsing: Parsing, { masks, iou }: AnswerPlan): Promise<object> {
  const { width, height, labels, persons, parts, model } = parsing;
  const human = personIndex(parsing);
  const regions: { region: Person | Part; category: number; person: number | null }[] = [
    ...(human < 0 ? [] : persons.map((region) => ({ region, category: human, person: region.id }))),
    ...parts.map((region) => ({ region, category: region.index, person: region.person })),
  ];
  const form = { shapes: masks === 'polygon' ? 'polygons' : 'masks', iou } as const;
  const annotations: object[] = [];
  for (const { region, category, person } of regions) {
    const { score, box, area, mask } = region;
    const annotation = await cocoAnnotation({ score, box, area, mask, person }, category, form);
    annotations.push({ id: annotations.length + 1, image_id: IMAGE_ID, ...annotation });
  }
  return {
    info: { description: `M2FP human parsing, model ${model.id}`, version: '1.0' },
    images: [cocoImage({ id: IMAGE_ID, width, height }, 'image')],
    annotations,
    categories: labels.flatMap((name, id) => (id === BACKGROUND_INDEX ? [] : [cocoCategory({ id, name })])),
  };
}
