/** Clients of jobs: what was accepted has one outcome, which is told of until it expires. */
import { setTimeout as pause } from 'node:timers/promises';
import type { ParsingSummary } from '../../../src/parsing/summary.ts';
import type { JobView } from '../../../src/service/jobs/view.ts';
import type { Leaving, Outcome } from './client.ts';
import { type Clients, PASSING, QUARANTINED } from './clients.ts';
import { type Ledger, nameOf } from './ledger.ts';
import type { Picture } from './pictures.ts';

const PATH = '/m2fp/api/jobs';
/** What a request of any job may come to while faults happen. */
const MEANWHILE = [...PASSING, '503 M2FP_MODEL_NOT_FOUND'];
/** Between two looks at a job. */
const SOON = 300;

type Told = JobView & { result?: ParsingSummary };

export class Jobs {
  /** Accepted, as far as clients know, and until when the outcome is kept; undefined where they have not asked. */
  readonly accepted = new Map<string, number | undefined>();
  readonly #clients: Clients;
  readonly #ledger: Ledger;

  constructor(clients: Clients) {
    this.#clients = clients;
    this.#ledger = clients.ledger;
  }

  /** A job with a result; a picture that processes end at again and again fails. */
  async done(kind: string, body: Buffer, picture: Picture): Promise<void> {
    this.#checkDone(kind, await this.#ended(kind, await this.#post(kind, body)), picture);
  }

  /** Sent several times under one key, at the same time and afterwards: one job. */
  async repeated(kind: string, body: Buffer, key: string, picture: Picture): Promise<void> {
    const ids = new Set<string>();
    const send = async (): Promise<void> => {
      const outcome = await this.#clients.ask({ path: PATH, body, headers: { 'idempotency-key': key } });
      if (this.#clients.note(kind, outcome, ['202', ...MEANWHILE]) !== '202') return;
      const id = idOf(outcome);
      if (!ids.has(id)) this.#accept(id);
      ids.add(id);
    };
    await Promise.all([send(), send()]);
    // What was kept although nobody was told so is known at last.
    do {
      await pause(SOON);
      await send();
    } while (ids.size === 0);
    if (ids.size > 1) this.#ledger.wrong.push(`${kind}: ${ids.size} jobs for one key`);
    const [id] = ids;
    this.#checkDone(kind, await this.#ended(kind, id), picture);
  }

  #checkDone(kind: string, job: Told | undefined, picture: Picture): void {
    if (!job) return;
    const { state, error, result } = job;
    const isQuarantined = QUARANTINED.test(error?.message ?? '');
    const expected = ['done', 'failed M2FP_ENGINE_CRASHED'];
    this.#expect(kind, job, isQuarantined ? [...expected, 'failed M2FP_BAD_IMAGE'] : expected);
    if (state === 'done' && error === null && result) this.#clients.checkResult(kind, result, picture);
  }

  async failed(kind: string, body: Buffer): Promise<void> {
    // A JPEG without its end is refused at once.
    const job = await this.#ended(kind, await this.#post(kind, body, ['400 M2FP_BAD_IMAGE']));
    if (job) this.#expect(kind, job, ['failed M2FP_BAD_IMAGE', 'failed M2FP_ENGINE_CRASHED']);
  }

  /** Taken back twice: the second time finds what the first one left. */
  async takenBack(kind: string, body: Buffer, after: number): Promise<void> {
    const id = await this.#post(kind, body);
    if (id === undefined) return;
    await pause(after);
    const names = await Promise.all([this.#delete(id), this.#delete(id)]);
    this.#ledger.note(`${kind}, DELETE`, names.toSorted().join(' and '));
    const job = await this.#look(id);
    if (job && job.ended === null) this.#ledger.wrong.push(`${kind}: ${job.state} after it was taken back`);
  }

  async vanishing(kind: string, body: Buffer, leaves: Leaving): Promise<void> {
    const outcome = await this.#clients.ask({ path: PATH, body, leaves });
    if (this.#clients.note(kind, outcome, ['left', '202', ...MEANWHILE]) !== '202') return;
    await this.#ended(kind, this.#idIn(outcome));
  }

  /** @param refusals what is right beside being accepted */
  async #post(kind: string, body: Buffer, refusals: readonly string[] = []): Promise<string | undefined> {
    const outcome = await this.#clients.ask({ path: PATH, body });
    return this.#clients.note(kind, outcome, ['202', ...refusals, ...MEANWHILE]) === '202'
      ? this.#idIn(outcome)
      : undefined;
  }

  #idIn(outcome: Outcome): string {
    const id = idOf(outcome);
    this.#accept(id);
    return id;
  }

  #accept(id: string): void {
    if (this.accepted.has(id)) this.#ledger.wrong.push(`Two jobs are called ${id}`);
    this.accepted.set(id, undefined);
  }

  /** Looks until the job has its outcome, and once more: it stays the same. */
  async #ended(kind: string, id: string | undefined): Promise<Told | undefined> {
    if (id === undefined) return undefined;
    for (;;) {
      await pause(SOON);
      const job = await this.#look(id);
      if (job === undefined) {
        this.#ledger.wrong.push(`${kind}: the job was accepted, and is lost`);
        return undefined;
      }
      if (job.ended === null) continue;
      await pause(SOON);
      const again = await this.#look(id);
      if (again?.state !== job.state || again.ended !== job.ended) {
        this.#ledger.wrong.push(`${kind}: ended as ${outcomeOf(job)}, then as ${again && outcomeOf(again)}`);
      }
      this.#ledger.note(`${kind}, outcome`, outcomeOf(job));
      this.accepted.set(id, Date.parse(job.expires!));
      return job;
    }
  }

  /** Undefined where there is no such job, or no longer. Asks until somebody knows. */
  async #look(id: string): Promise<Told | undefined> {
    for (;;) {
      const outcome = await this.#clients.ask({ method: 'GET', path: `${PATH}/${id}` });
      const name = this.#clients.note('look', outcome, ['200', '404 M2FP_JOB_NOT_FOUND', ...MEANWHILE]);
      if (name === '404 M2FP_JOB_NOT_FOUND') return undefined;
      if (name === '200') return JSON.parse((outcome as { body: Buffer }).body.toString()) as Told;
      if (outcome.end !== 'answer') return undefined;
      await pause(SOON);
    }
  }

  async #delete(id: string): Promise<string> {
    for (;;) {
      const outcome = await this.#clients.ask({ method: 'DELETE', path: `${PATH}/${id}` });
      const known = ['200', '204', '404 M2FP_JOB_NOT_FOUND'];
      const name = this.#clients.note('take back', outcome, [...known, ...MEANWHILE]);
      if (known.includes(name) || outcome.end !== 'answer') return nameOf(outcome);
      await pause(SOON);
    }
  }

  #expect(kind: string, job: Told, expected: readonly string[]): void {
    const outcome = outcomeOf(job);
    if (!expected.includes(outcome)) {
      this.#ledger.wrong.push(`${kind}: ${outcome}, which it may not come to. ${job.error?.message ?? ''}`);
    }
  }
}

function idOf(outcome: Outcome): string {
  return (JSON.parse((outcome as { body: Buffer }).body.toString()) as JobView).id;
}

function outcomeOf({ state, error }: JobView): string {
  return error ? `${state} ${error.code}` : state;
}
