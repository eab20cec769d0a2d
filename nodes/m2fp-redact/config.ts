/** The form of the node, as it is stored in flows. */
import {
  custom,
  flag,
  type GivenOptions,
  inForm,
  namesInText,
  oneOf,
  optionsInFields,
} from '../../src/parsing/options/option-table.ts';
import { BACKGROUND_INDEX, indicesOf, personIndex } from '../../src/parsing/options/options.ts';
import { REDACT_OPTIONS } from '../../src/parsing/redact/redact-options.ts';
import type { Parsing } from '../../src/parsing/types.ts';
import { labelsInModel } from '../common/labels.ts';
import type { Config } from '../common/form-fields.ts';
import { PARSING_FIELDS } from '../common/parsing.ts';
import { RESULT_FIELDS } from '../common/result.ts';

/** What a new form chooses. */
const FORM_LABELS = 'Face,Hair,Sunglasses';

/** What the form and a message can say. */
export const REDACT_SETTINGS = {
  ...REDACT_OPTIONS,
  labels: inForm(REDACT_OPTIONS.labels, { value: FORM_LABELS }),
  /** What happens to a picture without people; `drop`: it leaves through the second output. */
  nobody: oneOf(['pass', 'drop', 'all'], 'pass'),
  /** In the form the path of a picture; in a message the picture itself, see overlay.ts. */
  overlay: custom<unknown, unknown>((_name, given) => given),
  /** What happens where there is no parsing, or its picture is damaged: an error, or a black frame in its place. */
  failed: oneOf(['error', 'placeholder'], 'error'),
  /** Whether the parsing's picture becomes the redacted one. */
  replaceSource: flag(true),
};

export const FIELDS = { ...PARSING_FIELDS, ...REDACT_SETTINGS, ...RESULT_FIELDS };
export type RedactConfig = Config<typeof FIELDS>;
export type RedactSettings = GivenOptions<typeof REDACT_SETTINGS>;

/** What the form says. A blank field of parts stands for all of them. */
export function settingsOf(config: Partial<RedactConfig>): RedactSettings {
  const settings = optionsInFields(REDACT_SETTINGS, config);
  return { ...settings, labels: settings.labels ?? ALL_PARTS };
}

/** In place of names: all parts that the model has. */
const ALL_PARTS: readonly string[] = [];

/** The chosen labels that the model has; those of a whole person where the form has them all. */
export function labelsOf(names: unknown, parsing: Parsing): readonly string[] | undefined {
  const { labels } = parsing;
  if (names === ALL_PARTS) {
    const human = personIndex(parsing);
    return labels.filter((_, index) => index !== BACKGROUND_INDEX && index !== human);
  }
  const given: unknown = typeof names === 'string' ? namesInText(names) : names;
  // What is no list is for `redact` to refuse.
  if (!Array.isArray(given)) return given as undefined;
  const own = labelsInModel(given, labels)!;
  // The form's own choice, for a model with other names: what tells who somebody is, or whole persons.
  const isOwn = given.join() === FORM_LABELS;
  return isOwn && own === given && !own.some((name) => indicesOf(name, labels).length > 0) ? undefined : own;
}
