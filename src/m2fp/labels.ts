/** The label sets that M2FP was trained on, and how a model's own is found. */
import cihp from '../../models/labels/cihp.json' with { type: 'json' };
import lip from '../../models/labels/lip.json' with { type: 'json' };
import mhpV2 from '../../models/labels/mhp-v2.json' with { type: 'json' };
import pascalPersonPart from '../../models/labels/pascal-person-part.json' with { type: 'json' };
import { M2fpError } from '../errors.ts';
import type { ModelConfiguration } from './configuration.ts';
import type { ModelKind } from './manifest.ts';

/** The label sets by the name that `--labels` takes. */
const LABEL_SETS = { cihp, lip, 'mhp-v2': mhpV2, 'pascal-person-part': pascalPersonPart };
export type LabelSetName = keyof typeof LABEL_SETS;
export const LABEL_SET_NAMES = Object.keys(LABEL_SETS) as LabelSetName[];

export interface ModelLabels {
  kind: ModelKind;
  labels: string[];
  /** Index of the whole-person label, null for `single`. */
  humanIndex: number | null;
}

export interface LabelOverrides {
  kind?: ModelKind;
  /** A label set's name, or the names in index order. */
  labels?: LabelSetName | readonly string[];
}

/**
 * Kind and labels of a network of `classes` classes: what the user says, else what the configuration says,
 * else what the number of classes tells (LIP's 20 are single-human, CIHP's 21, MHP's 60 and
 * Pascal-Person-Part's 8 are multi-human).
 * @throws M2fpError M2FP_BAD_OPTION where the user's labels do not fit, M2FP_CHECKPOINT_INVALID where nothing tells
 */
export function modelLabels(
  classes: number,
  configuration: ModelConfiguration | undefined,
  overrides: LabelOverrides = {},
): ModelLabels {
  const bySize = Object.values(LABEL_SETS).find((set) => set.labels.length === classes);
  const named = typeof overrides.labels === 'string' ? LABEL_SETS[overrides.labels] : undefined;
  const kind =
    overrides.kind ??
    (configuration?.singleHuman === undefined ? undefined : configuration.singleHuman ? 'single' : 'multi') ??
    ((named ?? bySize)?.kind as ModelKind | undefined) ??
    'multi';

  const labels = ownLabels(
    classes,
    kind,
    named?.labels ?? (overrides.labels as readonly string[] | undefined),
  );
  const found = labels ?? configuredLabels(classes, kind, configuration) ?? bySize?.labels;
  if (found === undefined) {
    throw new M2fpError(
      'M2FP_CHECKPOINT_INVALID',
      `The network has ${classes} classes, which is no known label set, and there is no configuration.json that ` +
        'names them: give the names with --labels',
    );
  }
  const human = kind === 'multi' ? (configuration?.numParsing ?? classes - 1) : null;
  return { kind, labels: [...found], humanIndex: human };
}

function ownLabels(
  classes: number,
  kind: ModelKind,
  labels: readonly string[] | undefined,
): readonly string[] | undefined {
  if (labels === undefined) return undefined;
  const fitting = withHuman(classes, kind, labels);
  if (fitting === undefined) {
    throw new M2fpError(
      'M2FP_BAD_OPTION',
      `${labels.length} labels were given, the network has ${classes} classes`,
    );
  }
  return fitting;
}

function configuredLabels(
  classes: number,
  kind: ModelKind,
  configuration: ModelConfiguration | undefined,
): readonly string[] | undefined {
  return configuration?.classes && withHuman(classes, kind, configuration.classes);
}

/** The labels where their number fits; a list of parts alone gets the whole person as its last. */
function withHuman(
  classes: number,
  kind: ModelKind,
  labels: readonly string[],
): readonly string[] | undefined {
  if (labels.length === classes) return labels;
  if (kind === 'multi' && labels.length === classes - 1) return [...labels, 'Human'];
  return undefined;
}
