/** The block "About this model" as rows of texts. */
import type { DeployedFacts, Failure, Int8Here, Int8Speed, ModelDescription } from './about-answers.ts';
import {
  ENOUGH_PICTURES,
  type Int8Origin,
  isFarOff,
  isNobodySeen,
  isOfFewPictures,
  isOnWasm,
  percentOf,
  timesAsFast,
} from '../../src/m2fp/int8-origin.ts';
import { isInt8Faster } from '../../src/m2fp/int8-speed.ts';
import type { WorkerSeen } from '../common/workers.ts';
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
/** The names of machines that a row has room for. */
const HOSTS_SHOWN = 4;

/**
 * @param description what the form's values mean; undefined while that is not known
 * @param deployed what was deployed, or why it does not tell; undefined where nothing was
 * @param nameOf a label in the user's language
 * @param int8Here what int8 brings on this machine, where the form wants it
 */
export function aboutRows(
  description: ModelDescription | undefined,
  deployed: DeployedFacts | Failure | undefined,
  text: AboutText,
  nameOf: (label: string) => string,
  int8Here?: Int8Here,
): Row[] {
  const running = deployed && 'message' in deployed ? undefined : deployed;
  const known = description ?? running;
  if (known === undefined) return [];
  const { labels, input, size, digest, precision } = known;
  const rows: Row[] = [{ key: 'id', text: known.id }];

  if (labels !== null && labels.length > 0) {
    const shown = labels.slice(0, LABELS_SHOWN).map(nameOf).join(', ');
    const rest = labels.length > LABELS_SHOWN ? ', …' : '';
    rows.push({ key: 'labels', text: `${labels.length}: ${shown}${rest}`, whole: labels.join(', ') });
  }
  if (input !== null) {
    const { kind, ...sides } = input;
    rows.push({ key: 'input', text: text(`inputRule.${kind}`, { ...sides }) });
  }
  if (description?.workers) {
    rows.push({ key: 'precision', text: precision }, workersRow(description.workers, text));
  } else if (known === running && running.remote) {
    rows.push({ key: 'precision', text: precision });
    rows.push({ key: 'workers', text: String(running.remote.workers) });
  } else {
    const isInt8 = precision === 'int8';
    const missing = isInt8 ? 'notInt8' : description?.isCheckpoint ? 'notConverted' : 'notThere';
    rows.push({ key: 'size', text: size ? bytesText(size) : text(missing) });
  }
  if (known.int8) rows.push({ key: 'int8', text: int8Text(known.int8, text) });
  if (int8Here) rows.push({ key: 'int8Here', text: int8HereText(int8Here, text) });
  if (digest !== null) rows.push({ key: 'digest', text: `${digest.slice(0, DIGEST_SHOWN)}…`, whole: digest });
  if (description?.estimate) rows.push(...expected(description.estimate, text));
  rows.push({ key: 'state', text: stateText(deployed, description, text) });
  return rows;
}

/** How near the model is to the one that it was made of, and how much faster. */
function int8Text(int8: Int8Origin, text: AboutText): string {
  const { report, pictures, drawn, from } = int8;
  if (report === undefined) return text('int8Unknown', { pictures });
  const { agreement } = report;
  const faster = timesAsFast(report).toFixed(1);
  const speed = text(isOnWasm(report) ? 'int8TimesOnWasm' : 'int8Times', { faster });
  const counts = { pictures, heldBack: agreement.pictures };
  if (isNobodySeen(int8)) return text('int8Nobody', { ...counts, speed });
  const told = text('int8Agreement', {
    ...counts,
    speed,
    pixels: percentOf(agreement.pixels ?? 1),
    foreground: percentOf(agreement.foreground ?? 1),
    precision: from.precision,
    matched: agreement.parts.matched,
    parts: agreement.parts.reference,
  });
  if (isFarOff(int8)) return text('int8FarOff', { agreement: told });
  if (drawn) return text('int8Drawn', { agreement: told });
  return isOfFewPictures(int8) ? text('int8Few', { agreement: told, enough: ENOUGH_PICTURES }) : told;
}

function int8HereText(here: Int8Here, text: AboutText): string {
  if (here === 'measuring') return text('int8Measuring');
  return 'problem' in here ? text('int8NotMeasured', here) : int8SpeedText(here.speed, text);
}

/** How much faster int8 is on this machine, or that it is not. */
export function int8SpeedText(speed: Int8Speed, text: AboutText): string {
  const { ratio, instructions, threads } = speed;
  return text(isInt8Faster(speed) ? 'int8Faster' : 'int8NotFaster', {
    ratio: ratio.toFixed(1),
    instructions,
    threads,
  });
}

/** How many there are, and where; of many hosts the first ones. */
function workersRow(workers: readonly WorkerSeen[], text: AboutText): Row {
  const hosts = [...new Set(workers.map(({ host }) => host))];
  const shown = hosts.slice(0, HOSTS_SHOWN).join(', ') + (hosts.length > HOSTS_SHOWN ? ', …' : '');
  const places = workers.reduce((sum, { slots }) => sum + slots, 0);
  return {
    key: 'workers',
    text: text('workersThere', { workers: workers.length, places, hosts: shown }),
    whole: hosts.join(', '),
  };
}

function expected(estimate: NonNullable<ModelDescription['estimate']>, text: AboutText): Row[] {
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

/** Nobody loads anything here. */
const REMOTE_STATE_NAMES: typeof STATE_NAMES = { idle: 'disconnected', loading: 'searching' };

/** @param inForm undefined for who sees only what is deployed */
function stateText(
  deployed: DeployedFacts | Failure | undefined,
  inForm: ModelDescription | undefined,
  text: AboutText,
): string {
  if (deployed === undefined) return text('notDeployed');
  // The form may mean another model than the one that runs: what that does says nothing of this one.
  const isOther = inForm !== undefined && inForm.choice !== deployed.choice;
  if ('message' in deployed) return isOther ? text('brokenDeployed') : deployed.message;
  const { id, state, loadSeconds, progress, remote, revision, precision, digest } = deployed;
  if (isOther) {
    if (id !== inForm.id) return text('otherDeployed', { id });
    const variant = [...(revision === null ? [] : [revision]), precision].join(', ');
    return text('variantDeployed', { id, variant });
  }
  // Made again meanwhile, here or by the command: what runs is another one than what is described, until it is loaded anew.
  const onDisk = inForm?.digest ?? null;
  if (remote === null && digest !== null && onDisk !== null && digest !== onDisk)
    return text('formerDeployed', { digest: `${digest.slice(0, DIGEST_SHOWN)}…` });
  const share = state === 'pulling' ? (progress?.share ?? null) : null;
  const name = (remote ? REMOTE_STATE_NAMES : STATE_NAMES)[state] ?? state;
  return [
    share === null ? text(`states.${name}`) : text('pulling', { percent: Math.floor(share * 100) }),
    ...(loadSeconds === null ? [] : [text('loadedIn', { seconds: secondsText(loadSeconds) })]),
  ].join(' · ');
}
