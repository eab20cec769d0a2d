/** Whether the metrics of a Node-RED agree with what its clients counted. */
import type { Name } from './flow.ts';
import { type Ledger, NO_ROUTE } from './ledger.ts';

type Labels = Record<string, string>;

/** Sums samples of Prometheus' text. */
export class Samples {
  readonly #samples: { name: string; labels: Labels; value: number }[];

  constructor(text: string) {
    this.#samples = [...text.matchAll(/^(\w+)(?:\{(.*)\})? (\S+)$/gm)].map(
      ([, name, labels = '', value]) => ({
        name: name!,
        labels: Object.fromEntries(
          [...labels.matchAll(/(\w+)="([^"]*)"/g)].map(([, key, told]) => [key, told]),
        ) as Labels,
        value: Number(value),
      }),
    );
  }

  sum(name: string, wanted: Labels = {}): number {
    return this.#samples
      .filter((sample) => sample.name === name)
      .filter(({ labels }) => Object.entries(wanted).every(([key, text]) => labels[key] === text))
      .reduce((sum, { value }) => sum + value, 0);
  }
}

/** Kinds of requests that go to the node "request"; all others are about jobs. */
const PARSE = [
  'first',
  'good',
  'coloured',
  'duplicated',
  'corrupt',
  'oversized',
  'cancelled',
  'vanishing',
  'wrong key',
  'wrong option',
];
export const JOBS = [
  'job',
  'repeated job',
  'duplicated job',
  'corrupt job',
  'job taken back',
  'vanishing job',
  'look',
  'take back',
];
const GOING = ['cancelled', 'vanishing', 'vanishing job'];

/** Not known to the client: whether the flow had the request, and what it would have answered. */
const isUnsure = (outcome: string): boolean => outcome === 'left' || outcome === 'closed';

/** @returns what does not agree, in words */
export function checkCounts(text: string, ledger: Ledger): string[] {
  const samples = new Samples(text);
  const wrong: string[] = [];
  const messages = (node: Name, labels: Labels = {}): number =>
    samples.sum('m2fp_messages_total', { node, ...labels });
  /** @param more of those that the client could not see */
  const agree = (what: string, metric: number, clients: number, more = 0): void => {
    if (metric < clients || metric > clients + more) {
      const counted = more === 0 ? `${clients}` : `${clients} to ${clients + more}`;
      wrong.push(`${what}: the metrics say ${metric}, the clients counted ${counted}`);
    }
  };
  const count = (kinds: readonly string[], chosen: (outcome: string) => boolean): number =>
    ledger.count((outcome, kind) => kinds.includes(kind) && chosen(outcome));

  for (const [node, kinds] of [
    ['request', PARSE],
    ['jobRequest', JOBS],
  ] as const) {
    const reached = count(kinds, (outcome) => !isUnsure(outcome) && outcome !== NO_ROUTE);
    agree(`Requests at "${node}"`, messages(node), reached, count(kinds, isUnsure));
  }
  // Clients with these faults stay for their answer.
  for (const [code, status] of [
    ['M2FP_UNAUTHORIZED', 401],
    ['M2FP_BAD_OPTION', 400],
  ] as const) {
    const answers = count(PARSE, (outcome) => outcome === `${status} ${code}`);
    agree(`${code} at "request"`, messages('request', { code }), answers);
  }
  const tooLarge = count(PARSE, (outcome) => outcome === '413 M2FP_IMAGE_TOO_LARGE');
  agree(
    'M2FP_IMAGE_TOO_LARGE at "request"',
    messages('request', { code: 'M2FP_IMAGE_TOO_LARGE' }),
    tooLarge,
    count(['oversized'], isUnsure),
  );

  const staying = PARSE.filter((kind) => !GOING.includes(kind));
  const camera = 'stays';
  const results = count(staying, (outcome) => outcome === '200');
  // Where a deploy comes in between, there may have been something else to tell.
  const disturbed = count(staying, (outcome) => outcome.startsWith('499'));
  agree(
    'Results',
    samples.sum('m2fp_inference_request_success_total', { node: 'infer', camera }),
    results,
    disturbed,
  );
  for (const code of ['M2FP_BAD_IMAGE', 'M2FP_BUSY', 'M2FP_ENGINE_UNAVAILABLE', 'M2FP_ENGINE_CRASHED']) {
    const answers = count(staying, (outcome) => outcome.endsWith(code));
    agree(
      code,
      samples.sum('m2fp_inference_request_failure_total', { node: 'infer', camera, code }),
      answers,
      disturbed,
    );
  }

  const unseen = disturbed + count(PARSE, isUnsure) + count(GOING, (outcome) => outcome.startsWith('499'));
  agree('Messages that came to "infer"', messages('request', { fate: 'sent' }), messages('infer'), unseen);
  const inMetrics = samples.sum('m2fp_inference_request_success_total', { node: 'infer' });
  agree('Messages with a result at "infer"', messages('infer', { fate: 'sent' }), 0, inMetrics);
  agree('Requests that wait', samples.sum('m2fp_inference_pending_requests'), 0);
  agree('Requests that run', samples.sum('m2fp_inference_running_requests'), 0);
  const done = ledger.count((outcome, kind) => kind.endsWith(', outcome') && outcome === 'done');
  const jobResults = messages('jobAnswer', { fate: 'sent' });
  if (jobResults < done) wrong.push(`${done} jobs are done, but only ${jobResults} were answered`);
  return wrong;
}
