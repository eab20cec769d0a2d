/** The block "About this model" as rows of texts. */
import type { DeployedFacts, Prospect } from './about-answers.ts';
import { bytesText, secondsText } from './amounts.ts';
import type { Values } from './texts.ts';

export interface Row {
  /** Names the title in the catalogue. */
  key: string;
  text: string;
  /** The whole of what the text shortens. */
  whole?: string;
}

/** A text of `m2fp-model.about`. */
export type AboutText = (key: string, values?: Values) => string;

const DIGEST_SHOWN = 12;
/** The labels that a row has room for. */
const LABELS_SHOWN = 8;

/**
 * @param prospect what the form's values mean; undefined while that is not known
 * @param deployed what was deployed; undefined where nothing was
 */
export function aboutRows(
  prospect: Prospect | undefined,
  deployed: DeployedFacts | undefined,
  text: AboutText,
): Row[] {
  const known = prospect ?? deployed;
  if (known === undefined) return [];
  const { labels, input, size, digest } = known;
  const rows: Row[] = [{ key: 'id', text: known.id }];

  if (labels !== null && labels.length > 0) {
    const shown = labels.slice(0, LABELS_SHOWN).join(', ');
    const rest = labels.length > LABELS_SHOWN ? ', …' : '';
    rows.push({ key: 'labels', text: `${labels.length}: ${shown}${rest}`, whole: labels.join(', ') });
  }
  if (input !== null) {
    const { kind, ...sides } = input;
    rows.push({ key: 'input', text: text(`inputRule.${kind}`, { ...sides }) });
  }
  rows.push({ key: 'size', text: size ? bytesText(size) : text('notThere') });
  if (digest !== null) rows.push({ key: 'digest', text: `${digest.slice(0, DIGEST_SHOWN)}…`, whole: digest });
  if (prospect?.estimate) rows.push(...expected(prospect.estimate, text));
  rows.push({
    key: 'state',
    // The form may name another model than the one that runs.
    text: deployed === undefined ? text('notDeployed') : stateText(deployed, known.id, text),
  });
  return rows;
}

function expected(estimate: NonNullable<Prospect['estimate']>, text: AboutText): Row[] {
  const { memory, freeMemory, seconds, processes, threads, provider } = estimate;
  const values = { memory: bytesText(memory), free: bytesText(freeMemory), processes, threads };
  return [
    { key: 'memory', text: text(memory > freeMemory ? 'tooMuchMemory' : 'memoryNeeded', values) },
    { key: 'time', text: text(`time.${provider}`, { seconds: secondsText(seconds) }) },
  ];
}

const STATE_NAMES: Partial<Record<string, string>> = {
  'not pulled': 'absent',
  'not converted': 'unconverted',
};

function stateText(
  { id, state, loadSeconds, progress }: DeployedFacts,
  inForm: string,
  text: AboutText,
): string {
  const share = state === 'pulling' ? (progress?.share ?? null) : null;
  const name = STATE_NAMES[state] ?? state;
  return [
    ...(id === inForm ? [] : [id]),
    share === null ? text(`states.${name}`) : text('pulling', { percent: Math.floor(share * 100) }),
    ...(loadSeconds === null ? [] : [text('loadedIn', { seconds: secondsText(loadSeconds) })]),
  ].join(' · ');
}
