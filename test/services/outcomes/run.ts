/** Sends requests of all kinds while faults happen, and looks whether each had one outcome and all counts agree. */
import { setTimeout as pause } from 'node:timers/promises';
import { Clients } from './clients.ts';
import { checkCounts, JOBS, Samples } from './counts.ts';
import { anyFault, happen } from './faults.ts';
import { RETENTION } from './flow.ts';
import { type Kind, KINDS, Traffic } from './kinds.ts';
import { Ledger, NO_ROUTE } from './ledger.ts';
import { drawPictures } from './pictures.ts';
import { Random } from '../support/random.ts';
import { Service } from './service.ts';

/** An engine of Node-RED's own and jobs in a folder; two workers and jobs in Redis. */
export const ARRANGEMENTS = ['embedded', 'remote'] as const;
export type Arrangement = (typeof ARRANGEMENTS)[number];

export interface Plan {
  arrangement: Arrangement;
  requests: number;
  faults: number;
  /** The same seed makes the same requests and faults in the same order; when they meet is chance. */
  seed: number;
}

export interface Report {
  wrong: string[];
  /** For people. */
  lines: string[];
}

/** Requests at the same time. */
const CLIENTS = 14;
/** A client that was turned away comes back a little later. */
const MANNERS = 50;
/** After the last outcome has expired, the store is tidied within so many milliseconds. */
const TIDIED = 20_000;
const PATIENCE = 60_000;

/** A service under way; {@link finish} ends it, whatever happened. */
export class Run {
  readonly #plan: Plan;
  readonly #service: Service;
  readonly #ledger = new Ledger();
  readonly #log: (line: string) => void;

  private constructor(plan: Plan, service: Service, log: (line: string) => void) {
    this.#plan = plan;
    this.#service = service;
    this.#log = log;
  }

  static async start(plan: Plan, log: (line: string) => void = () => {}): Promise<Run> {
    return new Run(plan, await Service[plan.arrangement](), log);
  }

  /** All requests and faults, then what was counted. */
  async traffic(): Promise<Report> {
    const start = performance.now();
    const { requests, faults, seed } = this.#plan;
    const random = new Random(seed);
    const pictures = await drawPictures();
    const clients = new Clients(this.#service.nodeRed.url, this.#ledger);
    await clients.learn(pictures);
    const traffic = new Traffic(clients, pictures);
    const orders = Array.from({ length: requests }, () => ({
      kind: random.weighted<Kind>(KINDS),
      random: new Random(random.below(2 ** 32)),
    }));
    const share = requests / (faults + 1);
    let begun = 0;
    let over = 0;
    const countBegun = (): number => begun;
    const client = async (): Promise<void> => {
      while (begun < requests) {
        // Requests wait for faults, so that these come in the midst of them.
        if (begun >= (over + 2) * share) {
          await pause(MANNERS);
          continue;
        }
        const { kind, random: own } = orders[begun++]!;
        await traffic.send(kind, own);
        await pause(own.below(MANNERS));
      }
    };
    const faultsHappen = async (): Promise<void> => {
      for (; over < faults; over++) {
        const due = (over + 1) * share;
        while (countBegun() < due) await pause(MANNERS);
        const fault = anyFault(this.#service, random);
        this.#log(`${begun} requests, fault ${over + 1}: ${fault}`);
        await happen(fault, this.#service, random);
        this.#ledger.note('faults', fault);
      }
    };
    await Promise.all([faultsHappen(), ...Array.from({ length: CLIENTS }, client)]);
    const seconds = (performance.now() - start) / 1000;
    await this.#settled();
    const wrong = [...this.#ledger.wrong, ...(await this.#wrongAtTheEnd(traffic))];
    return { wrong, lines: [...this.#ledger.lines(), `${seconds.toFixed(0)} s`] };
  }

  /** Resolves when nothing is at work any more, or should not be. */
  async #settled(): Promise<void> {
    const end = performance.now() + PATIENCE;
    while (performance.now() < end && (await this.#service.leftovers()).length > 0) await pause(500);
  }

  async #wrongAtTheEnd(traffic: Traffic): Promise<string[]> {
    const { nodeRed } = this.#service;
    const wrong: string[] = [];
    const left = await this.#service.leftovers();
    if (left.length > 0) wrong.push(`Left: ${left.join(', ')}`);
    const { exitCode, signalCode } = nodeRed.child;
    if (exitCode !== null || signalCode !== null) wrong.push(`Node-RED ended (${exitCode ?? signalCode})`);
    const bad =
      /.*(?:unhandled|uncaught|ERR_HTTP_HEADERS_SENT|headers after they are sent|TypeError|No response object).*/gi;
    for (const [line] of nodeRed.log.matchAll(bad)) wrong.push(`In the log: ${line}`);
    const kept = await this.#service.outcomes();
    const { accepted } = traffic.jobs;
    const strangers = kept.filter((id) => !accepted.has(id));
    const unsure = this.#ledger.count(
      (outcome, kind) => kind.endsWith('job') && outcome !== '202' && outcome !== NO_ROUTE,
    );
    if (strangers.length > unsure) wrong.push(`${strangers.length} jobs that nobody posted`);
    const old = kept.filter((id) => (accepted.get(id) ?? Infinity) < Date.now() - TIDIED);
    if (old.length > 0) wrong.push(`Kept for too long: ${old.join(', ')}`);
    const metrics = await (await fetch(`${nodeRed.url}/m2fp/metrics`)).text();
    const told = new Samples(metrics).sum('m2fp_jobs_accepted_total');
    const untold = this.#ledger.count(
      (outcome, kind) => JOBS.includes(kind) && /^(?:left|closed|silence|499|503|504)/.test(outcome),
    );
    if (told < accepted.size || told > accepted.size + untold) {
      const known = `${accepted.size} to ${accepted.size + untold}`;
      wrong.push(`Jobs accepted: the metrics say ${told}, the clients know of ${known}`);
    }
    return [...wrong, ...checkCounts(metrics, this.#ledger)];
  }

  /** Resolves, when the last outcome of a job must have expired, to what is kept all the same. */
  async expired(): Promise<string[]> {
    await pause(RETENTION * 60_000 + TIDIED);
    const service = this.#service;
    const left = await Promise.all([service.leftovers(), service.outcomes(), service.keysOfClients()]);
    return left.flat();
  }

  get log(): string {
    return this.#service.nodeRed.log;
  }

  async finish(): Promise<void> {
    await this.#service.stop();
  }
}
