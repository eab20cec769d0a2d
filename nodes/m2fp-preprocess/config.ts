/** The form of the node, as it is stored in flows. */
import { MODEL_FIELD } from '../common/form-fields.ts';
import { IMAGE_FIELDS } from '../common/image.ts';
import { RESULT_FIELDS } from '../common/result.ts';

export const FIELDS = { ...MODEL_FIELD, ...IMAGE_FIELDS, ...RESULT_FIELDS };
