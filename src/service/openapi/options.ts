/** The options of a request as JSON Schema, from the tables that the code reads them with. */
import { MAX_SIDE } from '../../parsing/crop/crop-options.ts';
import { DEFAULT_MIN_SCORE } from '../../parsing/postprocess/postprocess.ts';
import { flag, number, type OptionTable } from '../../parsing/options/option-table.ts';
import { ANSWER_OPTIONS } from '../answer-options.ts';

export type Schema = Record<string, unknown>;

/** What a client may set of infer, unless the service's owner says otherwise. */
export const USUALLY_ALLOWED = { scoreThreshold: number(0.1, 1, DEFAULT_MIN_SCORE), flip: flag(false) };

export const CLIENT_OPTIONS = { ...ANSWER_OPTIONS, ...USUALLY_ALLOWED } satisfies OptionTable;

const TEXTS: Readonly<Record<keyof typeof CLIENT_OPTIONS, string>> = {
  format:
    'The format of the answer. Without it, what `Accept` prefers. `coco`: a COCO data set of this picture.',
  view:
    'What a picture shows. `overlay`: colours over the source; `map`: colours only; `persons`: a colour for each ' +
    'person; `labels`: the label index of each pixel, as PNG; `redacted`: the source with faces and hair, or `labels`, ' +
    'unrecognisable; `crop`: a person, or `labels`, cut out.',
  masks: 'The form of the masks in JSON. `rle`: COCO run-length encoding; `png`: base64, of the box.',
  picture: 'Puts the picture of `view` into JSON, too, as base64.',
  iou: 'How well polygons meet the masks.',
  labels: 'Labels that a picture is about, with commas.',
  persons: 'Ids of the persons that a picture is about, with commas.',
  cutout: 'Of `crop`: only what the mask has.',
  padding: `Of \`crop\`: a margin in pixels, up to ${MAX_SIDE}, or such as 10%.`,
  method: 'Of `redacted`.',
  cells: 'Of `redacted`: how coarse it becomes.',
  color: 'Of `redacted`: what `fill` fills with.',
  grow: 'Of `redacted`: pixels that are hidden around what is chosen; `auto`: as many as the model is coarse.',
  opacity: 'Of colours over the source.',
  contours: 'The width of outlines, pixels.',
  contourColor: 'The colour of outlines.',
  names: 'Writes the names of parts into the picture.',
  scores: 'Writes scores beside the names.',
  legend: 'Where the picture gets a legend.',
  palette: 'The colours of the labels.',
  background: 'What becomes of the background.',
  minScore: 'Parts that score less are not painted.',
  quality: 'Of WebP and JPEG.',
  scoreThreshold: 'Persons and parts that score less are left out.',
  flip: 'Looks at the mirrored picture, too: a little better, and takes twice as long.',
};

/** The id of a person, in a text. */
const ID = '0*(?:[1-9]\\d?|1\\d\\d|2[0-4]\\d|25[0-5])';
/** Up to {@link MAX_PADDING_PERCENT}. */
const PERCENT = '^\\s*(?:0*1000(?:\\.0+)?|0*\\d{1,3}(?:\\.\\d+)?)\\s*%\\s*$';

const COLOR = [
  { type: 'string' },
  { type: 'array', items: { type: 'integer', minimum: 0, maximum: 255 }, minItems: 3, maxItems: 3 },
];

/** What is a text in an address, and may be more in JSON. */
const IN_JSON: Readonly<Record<string, readonly Schema[]>> = {
  labels: [
    { type: 'string', pattern: '^(?!\\s*none\\s*$).*[^\\s,]' },
    { type: 'array', items: { type: 'string', minLength: 1 }, minItems: 1 },
  ],
  persons: [
    { type: 'string', pattern: `^\\s*${ID}(?:\\s*,\\s*${ID})*\\s*$` },
    { type: 'array', items: { type: 'integer', minimum: 1, maximum: 255 }, minItems: 1 },
  ],
  padding: [
    { type: 'integer', minimum: 0, maximum: MAX_SIDE },
    { type: 'string', pattern: PERCENT },
  ],
  color: COLOR,
  contourColor: COLOR,
};

/** Of JSON, where null leaves the choice open, too. */
function typeInJson(name: string, type: Schema): Schema {
  const { anyOf = [type] } = type as { anyOf?: readonly Schema[] };
  return { anyOf: [...(IN_JSON[name] ?? anyOf), { type: 'null' }] };
}

/** The schema of each option. @param asText as addresses and forms say it, where a list or a margin is a text */
export function optionSchemas(asText: boolean): Record<string, Schema> {
  const table: OptionTable = CLIENT_OPTIONS;
  return Object.fromEntries(
    Object.entries(table).map(([name, { form }]): [string, Schema] => {
      const { input, choices, check, value } = form;
      const description = TEXTS[name as keyof typeof TEXTS];
      const type = typeOf(name, input, choices, check);
      return [
        name,
        { ...(asText ? type : typeInJson(name, type)), ...fallback(name, value, asText), description },
      ];
    }),
  );
}

function fallback(name: string, value: unknown, asText: boolean): Schema {
  if (name === 'grow') return { default: 'auto' };
  // The form has a text.
  if (name === 'padding' && !asText) return { default: Number(value) };
  // Without a format, `Accept` decides.
  return value === '' || name === 'format' ? {} : { default: value };
}

function typeOf(
  name: string,
  input: string,
  choices: readonly string[] | undefined,
  check: readonly [name: string, ...limits: number[]] | undefined,
): Schema {
  if (input === 'checkbox') return { type: 'boolean' };
  if (input === 'select') return { type: 'string', enum: [...(choices ?? [])] };
  if (input === 'number') {
    const [kind, minimum, maximum] = check!;
    const range = { type: kind === 'whole' ? 'integer' : 'number', minimum, maximum };
    return name === 'grow' ? { anyOf: [range, { const: 'auto' }] } : range;
  }
  return { type: 'string' };
}
