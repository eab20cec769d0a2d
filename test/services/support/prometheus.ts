/** A real Prometheus of the tests' own, on loopback, with the alarms that deploy/prometheus brings. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parse, stringify } from 'yaml';
import { root, temporaryFolder } from '../../support/installed-package.ts';
import { freePort } from '../../support/node-red.ts';
import { requireProgram } from '../../support/programs.ts';

export interface Sample {
  metric: Record<string, string>;
  value: number;
}

export interface Target {
  labels: Record<string, string>;
  health: string;
  lastError: string;
}

export interface RuleState {
  name: string;
  health: string;
  lastError?: string;
  query: string;
  alerts: { annotations: Record<string, string>; state: string }[];
}

interface ScrapeConfig {
  job_name: string;
  static_configs?: { targets: string[] }[];
  dns_sd_configs?: unknown;
}

export class Prometheus {
  readonly #url: string;
  readonly #process: ChildProcess;

  private constructor(url: string, process: ChildProcess) {
    this.#url = url;
    this.#process = process;
  }

  /**
   * Resolves when it is ready.
   * @param targets by the jobs of deploy/prometheus/prometheus.yml, which is used but for them and for its pace
   */
  static async start(targets: Record<string, string[]>): Promise<Prometheus> {
    const folder = temporaryFolder('prometheus');
    const deployed = join(root, 'deploy', 'prometheus');
    const config = parse(readFileSync(join(deployed, 'prometheus.yml'), 'utf8')) as {
      global: object;
      scrape_configs: ScrapeConfig[];
    };
    config.scrape_configs = config.scrape_configs.filter(({ job_name: job }) => job.startsWith('m2fp'));
    assert.deepEqual(
      config.scrape_configs.map(({ job_name: job }) => job),
      Object.keys(targets),
    );
    config.global = { scrape_interval: '500ms', evaluation_interval: '1s' };
    for (const job of config.scrape_configs) {
      delete job.dns_sd_configs;
      job.static_configs = [{ targets: targets[job.job_name]! }];
    }
    writeFileSync(join(folder, 'prometheus.yml'), stringify(config));
    cpSync(join(deployed, 'rules.yml'), join(folder, 'rules.yml'));
    const address = `127.0.0.1:${await freePort()}`;
    const child = spawn(
      requireProgram('prometheus', 'prometheus'),
      [
        '--config.file=prometheus.yml',
        `--storage.tsdb.path=${join(folder, 'data')}`,
        `--web.listen-address=${address}`,
      ],
      { cwd: folder, stdio: ['ignore', 'ignore', 'pipe'] },
    );
    let log = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => (log += text));
    const ended = once(child, 'exit').then(() => assert.fail(`Prometheus ended:\n${log}`));
    ended.catch(() => {});
    while (!log.includes('Server is ready')) await Promise.race([once(child.stderr, 'data'), ended]);
    return new Prometheus(`http://${address}`, child);
  }

  async query(query: string): Promise<Sample[]> {
    const { result } = (await this.#get(`query?${new URLSearchParams({ query }).toString()}`)) as {
      result: { metric: Record<string, string>; value: [number, string] }[];
    };
    return result.map(({ metric, value }) => ({ metric, value: Number(value[1]) }));
  }

  async targets(): Promise<Target[]> {
    return ((await this.#get('targets?state=active')) as { activeTargets: Target[] }).activeTargets;
  }

  async rules(): Promise<RuleState[]> {
    const { groups } = (await this.#get('rules')) as { groups: { rules: RuleState[] }[] };
    return groups.flatMap(({ rules }) => rules);
  }

  /** Asks again and again until `condition` holds of what `look` finds; the last find is given back. */
  async until<T>(look: () => Promise<T>, condition: (found: T) => boolean, seconds = 60): Promise<T> {
    const end = Date.now() + seconds * 1000;
    for (;;) {
      const found = await look();
      if (condition(found) || Date.now() > end) return found;
      await sleep(250);
    }
  }

  async stop(): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    const ended = once(this.#process, 'exit');
    this.#process.kill('SIGKILL');
    await ended;
  }

  async #get(path: string): Promise<unknown> {
    const response = await fetch(`${this.#url}/api/v1/${path}`);
    const { status, data, error } = (await response.json()) as {
      status: string;
      data: unknown;
      error?: string;
    };
    assert.equal(status, 'success', `${decodeURIComponent(path)}: ${error}`);
    return data;
  }
}

/** The queries of the dashboard for Grafana, with what Grafana puts in for its variables. */
export function dashboardQueries(): { panel: string; query: string }[] {
  const file = join(root, 'deploy', 'grafana', 'dashboards', 'm2fp.json');
  const { panels } = JSON.parse(readFileSync(file, 'utf8')) as {
    panels: { title: string; targets?: { expr: string }[] }[];
  };
  const variables: Record<string, string> = { job: '.*', instance: '.*', model: '.*', __rate_interval: '1m' };
  return panels.flatMap(({ title, targets = [] }) =>
    targets.map(({ expr }) => ({
      panel: title,
      query: expr.replace(/\$(\w+)/g, (_all, name: string) => {
        assert.ok(name in variables, `$${name} in ${title}`);
        return variables[name]!;
      }),
    })),
  );
}

/** The series that a query asks for, each by itself: `name{labels}`. */
export function selectorsOf(query: string): string[] {
  return [...query.matchAll(/\b(?:up|m2fp_\w+|process_\w+)\b(?:\{(?:"(?:\\.|[^"\\])*"|[^}"])*\})?/g)].map(
    ([selector]) => selector,
  );
}
