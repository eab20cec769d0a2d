/** The label sets that M2FP was trained on, and how a model's own is found. */
import cihp from '../../models/labels/cihp.json' with { type: 'json' };
import lip from '../../models/labels/lip.json' with { type: 'json' };
import mhpV2 from '../../models/labels/mhp-v2.json' with { type: 'json' };
import pascalPersonPart from '../../models/labels/pascal-person-part.json' with { type: 'json' };
import { M2fpError } from '../errors.ts';
import type { ModelConfiguration } from './configuration.ts';
import type { ModelKind } from './manifest.ts';
import type { Origin, Origins } from './origin.ts';
import type { PartGroup } from './part-groups.ts';

/** By the name that `--labels` takes. */
const FILES = { cihp, lip, 'mhp-v2': mhpV2, 'pascal-person-part': pascalPersonPart };
export type LabelSetName = keyof typeof FILES;
export const LABEL_SET_NAMES = Object.keys(FILES) as LabelSetName[];

export interface LabelSet {
  name: string;
  labels: readonly string[];
  kind: ModelKind;
  /** Every label but the background and the whole person is in one group. */
  groups: Readonly<Partial<Record<PartGroup, readonly string[]>>>;
}

// TypeScript takes the texts of a JSON file for any text.
export const LABEL_SETS = FILES as Readonly<Record<LabelSetName, LabelSet>>;

export interface ModelLabels {
  kind: ModelKind;
  labels: string[];
  /** Index of the whole-person label, the last one; null for `single`. */
  humanIndex: number | null;
  /** What looks contradictory or was not told. */
  warnings: string[];
  /** Where `kind`, `labels` and `humanIndex` come from. */
  origins: Origins;
}

export interface LabelOverrides {
  kind?: ModelKind;
  /** A label set's name, or the names in index order. */
  labels?: LabelSetName | readonly string[];
}

/** A value and who says so. */
interface Told<T> {
  value: T;
  origin: Origin;
}

const HUMAN = 'Human';

const keyOf = (label: string) => label.trim().toLowerCase();
const isHuman = (label: string | undefined) => label !== undefined && keyOf(label) === keyOf(HUMAN);

const GROUP_OF = new Map(
  Object.values(LABEL_SETS).flatMap(({ groups }) =>
    Object.entries(groups).flatMap(([group, labels]) =>
      labels.map((label) => [keyOf(label), group as PartGroup] as const),
    ),
  ),
);

/** The group of a label that one of the sets knows; undefined for others, the background and the whole person. */
export function partGroup(label: string): PartGroup | undefined {
  return GROUP_OF.get(keyOf(label));
}

/**
 * Kind and labels of a network of `classes` classes: what the user says, else what the configuration says,
 * else what the number of classes tells (LIP's 20 are single-human, CIHP's 21, MHP's 60 and
 * Pascal-Person-Part's 8 are multi-human). A list of parts alone gets the whole person as its last.
 * @throws M2fpError M2FP_BAD_OPTION where what the user says does not fit, M2FP_CHECKPOINT_INVALID where the
 *   configuration contradicts the network or nothing tells
 */
export function modelLabels(
  classes: number,
  configuration: ModelConfiguration | undefined,
  overrides: LabelOverrides = {},
): ModelLabels {
  const warnings: string[] = [];
  const own = ownLabels(classes, overrides);
  const bySize = Object.values(LABEL_SETS).find((set) => set.labels.length === classes);

  const kind = findKind(classes, configuration, overrides, own, bySize);
  const configured = configuration?.singleHuman;
  if (
    kind.origin !== 'configuration' &&
    configured !== undefined &&
    configured !== (kind.value === 'single')
  ) {
    warnings.push(
      `configuration.json says model.single_human = ${configured}; used as ${kind.value}-human, as told`,
    );
  }

  const labels = own
    ? fitted(classes, kind.value, own.labels, 'user')
    : (configuredLabels(classes, kind.value, configuration, warnings) ?? knownLabels(classes, kind, bySize));
  warnings.push(...labelWarnings(kind.value, labels.value));

  const humanIndex = kind.value === 'multi' ? classes - 1 : null;
  const told = humanIndex === null ? undefined : configuration?.numParsing;
  if (told !== undefined && told !== humanIndex) {
    throw invalid(
      `configuration.json says model.num_parsing = ${told}, but of ${classes} classes the whole person is the last, ` +
        `${humanIndex}: correct the number, or convert without the configuration`,
    );
  }
  return {
    kind: kind.value,
    labels: [...labels.value],
    humanIndex,
    warnings,
    origins: {
      kind: kind.origin,
      labels: labels.origin,
      humanIndex: told === undefined ? kind.origin : 'configuration',
    },
  };
}

const invalid = (reason: string) => new M2fpError('M2FP_CHECKPOINT_INVALID', reason);
const badOption = (reason: string) => new M2fpError('M2FP_BAD_OPTION', reason);

const noLabels = (classes: number) =>
  invalid(
    `The network has ${classes} classes, which is no known label set, and no configuration.json names them: ` +
      'give the names with --labels and the kind with --kind',
  );

/** Who names labels, and the error where they do not fit. */
const SOURCES = {
  user: { whose: 'The labels given', fail: badOption },
  configuration: { whose: "configuration.json's model.classes", fail: invalid },
};

const RENAME = 'Give other names with --labels';

function wrongNumber(origin: keyof typeof SOURCES, labels: readonly string[], classes: number): M2fpError {
  const { fail, whose } = SOURCES[origin];
  return fail(`${whose}: ${labels.length} names, but the network has ${classes} classes`);
}

/** The user's labels, checked for themselves, and the set that they name. */
function ownLabels(classes: number, { kind, labels }: LabelOverrides) {
  if (kind !== undefined && kind !== 'multi' && kind !== 'single') {
    throw badOption(`kind is ${JSON.stringify(kind)}, allowed are multi and single`);
  }
  if (labels === undefined) return undefined;
  if (typeof labels !== 'string') {
    if (labels.length === classes || labels.length === classes - 1) return { labels, set: undefined };
    throw wrongNumber('user', labels, classes);
  }
  if (!Object.hasOwn(LABEL_SETS, labels)) {
    throw badOption(
      `There is no label set ${JSON.stringify(labels)}: give ${LABEL_SET_NAMES.join(', ')}, or the names themselves`,
    );
  }
  const set = LABEL_SETS[labels];
  if (kind === 'multi' && set.kind === 'single') {
    // Its last label would be taken for the whole person.
    return { labels: [...set.labels, HUMAN], set };
  }
  return { labels: set.labels, set };
}

function findKind(
  classes: number,
  configuration: ModelConfiguration | undefined,
  overrides: LabelOverrides,
  own: ReturnType<typeof ownLabels>,
  bySize: LabelSet | undefined,
): Told<ModelKind> {
  if (overrides.kind !== undefined) return { value: overrides.kind, origin: 'user' };
  if (own?.set?.labels.length === classes) return { value: own.set.kind, origin: 'user' };
  if (configuration?.singleHuman !== undefined) {
    return { value: configuration.singleHuman ? 'single' : 'multi', origin: 'configuration' };
  }
  if (bySize !== undefined) return { value: bySize.kind, origin: 'tensors' };
  const names = own?.labels ?? configuration?.classes;
  if (names?.some(isHuman)) return { value: 'multi', origin: own ? 'user' : 'configuration' };
  if (names === undefined) throw noLabels(classes);
  throw (own ? badOption : invalid)(
    `The network has ${classes} classes, which is no known label set, and nothing tells whether it is for several ` +
      'people or one: say --kind multi or --kind single',
  );
}

/** The labels where their number fits the network. */
function fitted(classes: number, kind: ModelKind, labels: readonly string[], origin: keyof typeof SOURCES) {
  const { fail, whose } = SOURCES[origin];
  const all = kind === 'multi' && labels.length === classes - 1 ? [...labels, HUMAN] : labels;
  if (all.length !== classes) throw wrongNumber(origin, labels, classes);
  const seen = new Map<string, number>();
  for (const [index, label] of all.entries()) {
    const key = keyOf(label);
    const other = seen.get(key);
    if (key === '') throw fail(`${whose}: the name of label ${index} is empty. ${RENAME}`);
    if (other !== undefined) {
      throw fail(
        `${whose}: the labels ${other} and ${index} have the same name ${JSON.stringify(label)}. ${RENAME}`,
      );
    }
    seen.set(key, index);
  }
  if (kind === 'multi' && all.slice(0, -1).some(isHuman)) {
    throw fail(`${whose}: the whole person, ${HUMAN}, is not the last. ${RENAME}`);
  }
  return { value: all, origin } satisfies Told<readonly string[]>;
}

/** The configuration's labels; undefined, with a warning, where it has another number of them. */
function configuredLabels(
  classes: number,
  kind: ModelKind,
  configuration: ModelConfiguration | undefined,
  warnings: string[],
): Told<readonly string[]> | undefined {
  const names = configuration?.classes;
  if (names === undefined) return undefined;
  if (names.length === classes || (kind === 'multi' && names.length === classes - 1)) {
    return fitted(classes, kind, names, 'configuration');
  }
  warnings.push(
    `configuration.json names ${names.length} labels, but the network has ${classes} classes: its names are not used`,
  );
  return undefined;
}

/** The labels of the set that M2FP was trained on with this number of classes. */
function knownLabels(
  classes: number,
  kind: Told<ModelKind>,
  bySize: LabelSet | undefined,
): Told<readonly string[]> {
  if (bySize === undefined) throw noLabels(classes);
  if (bySize.kind !== kind.value) {
    const who = kind.origin === 'configuration' ? 'configuration.json says' : 'The option says';
    throw invalid(
      `${who} that the model is ${kind.value}-human, but ${classes} classes are those of ${bySize.name}, which is ` +
        `${bySize.kind}-human: say --kind ${bySize.kind}, or give the names with --labels`,
    );
  }
  return { value: bySize.labels, origin: 'tensors' };
}

/** Labels that do not look like those of a model of this kind. */
function labelWarnings(kind: ModelKind, labels: readonly string[]): string[] {
  const last = JSON.stringify(labels.at(-1));
  if (kind === 'multi' && !isHuman(labels.at(-1))) {
    return [`The last label, ${last}, is taken for the whole person. If it is a part, say --kind single`];
  }
  if (kind === 'single' && labels.some(isHuman)) {
    return [`The label ${HUMAN} is unusual in a single-human model. If it is multi-human, say --kind multi`];
  }
  return [];
}
