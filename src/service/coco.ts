/** One parsing as a COCO data set (https://cocodataset.org/#format-data). */
import { BACKGROUND_INDEX, personIndex } from '../parsing/options/options.ts';
import type { Parsing, Part, Person } from '../parsing/types.ts';
import type { AnswerPlan } from './answer-options.ts';
import { segmentationOf } from './json.ts';

/** The only picture of the set. */
const IMAGE_ID = 1;

/**
 * Categories are the model's labels, by their index; each part is an annotation, and each person, of the category that the
 * model has for whole persons. `score` is as in COCO's results; `person` is ours: the person that a part belongs to.
 */
export async function cocoOf(parsing: Parsing, plan: AnswerPlan): Promise<object> {
  const { width, height, labels, persons, parts, model } = parsing;
  const human = personIndex(parsing);
  const regions: { region: Person | Part; category: number; person: number | null }[] = [
    ...(human < 0 ? [] : persons.map((region) => ({ region, category: human, person: region.id }))),
    ...parts.map((region) => ({ region, category: region.index, person: region.person })),
  ];
  const annotations: object[] = [];
  for (const { region, category, person } of regions) {
    const { box, area, score, mask } = region;
    annotations.push({
      id: annotations.length + 1,
      image_id: IMAGE_ID,
      category_id: category,
      segmentation: await segmentationOf(mask, plan),
      bbox: [box.x, box.y, box.width, box.height],
      area,
      iscrowd: 0,
      score: Math.round(score * 1e4) / 1e4,
      person,
    });
  }
  return {
    info: { description: `M2FP human parsing, model ${model.id}`, version: '1.0' },
    images: [{ id: IMAGE_ID, width, height, file_name: 'image' }],
    annotations,
    categories: labels.flatMap((name, id) =>
      id === BACKGROUND_INDEX ? [] : [{ id, name, supercategory: 'person' }],
    ),
  };
}
