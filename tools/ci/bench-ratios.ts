/**
 * `npm run bench:smoke -- [--against FILE_OR_ADDRESS] [--out FILE]`: runs the benches that compare us with something
 * in one run, and compares their ratios with those of an earlier run. Times are never compared: another machine, or a
 * neighbour on it, changes them; a ratio of two things that took turns stays. Says all as Markdown, also in the summary
 * of a GitHub job, and fails where a ratio fell by more than a tenth, twice.
 */
import { spawnSync } from 'node:child_process';
import { appendFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import type { GraphBench } from '../../bench/graph.ts';
import type { EngineBench } from '../../bench/engine/index.ts';

/** More is better. Names are kept from release to release: a new name is compared from the next release on. */
export type Ratios = Record<string, number>;

/** A fall by more than this fails. */
const LARGEST_FALL = 0.1;

/** Ratios of the graph bench: both graphs took turns. */
export function graphRatios({ sizes }: Pick<GraphBench, 'sizes'>): Ratios {
  return Object.fromEntries(
    sizes.map(({ height, width, ratioToPlain }) => [
      `our graph by a plain one, ${height} x ${width}`,
      ratioToPlain,
    ]),
  );
}

/** Ratios of the engine bench. Not the cache's and the deploy's: what they divide by are a few milliseconds. */
export function engineRatios({
  models,
}: {
  models: Pick<EngineBench['models'][number], 'pools' | 'http'>[];
}): Ratios {
  const [{ pools, http }] = models as [(typeof models)[number]];
  return {
    ...Object.fromEntries(
      pools.clients
        .filter(({ clients }) => clients > 1)
        .map(({ clients, throughputRatio }) => [
          `pictures per second, two processes by one, ${clients} clients`,
          throughputRatio,
        ]),
    ),
    'a direct call by a picture through HTTP and Node-RED': 1 / http.ratio,
  };
}

/** Names of the ratios that fell by more than a tenth. */
export function fallen(now: Ratios, before: Ratios): string[] {
  return Object.keys(now).filter((name) => name in before && now[name]! < before[name]! * (1 - LARGEST_FALL));
}

/** The better of two runs for each ratio: a neighbour only ever makes one worse. */
export function better(one: Ratios, other: Ratios): Ratios {
  return Object.fromEntries(
    Object.entries(one).map(([name, value]) => [name, Math.max(value, other[name] ?? value)]),
  );
}

/** The table for the job's summary. */
export function table(now: Ratios, before: Ratios | undefined): string {
  const bad = before === undefined ? [] : fallen(now, before);
  const rows = Object.entries(now).map(([name, value]) => {
    const old = before?.[name];
    const change = old === undefined ? '' : `${((value / old - 1) * 100).toFixed(1)} %`;
    return `| ${name} | ${old?.toFixed(2) ?? ''} | ${value.toFixed(2)} | ${change}${bad.includes(name) ? ' **fell**' : ''} |`;
  });
  const note = before === undefined ? 'Nothing to compare with: no earlier run was found.' : '';
  return [
    '| ratio (more is better) | last release | now | change |',
    '| --- | ---: | ---: | ---: |',
    ...rows,
    '',
    note,
  ]
    .join('\n')
    .trimEnd();
}

/** Ratios of an earlier run; undefined where there is none yet. */
export async function earlier(place: string): Promise<Ratios | undefined> {
  if (!/^https?:/.test(place)) {
    return existsSync(place) ? (JSON.parse(readFileSync(place, 'utf8')) as Ratios) : undefined;
  }
  const response = await fetch(place, { signal: AbortSignal.timeout(30_000) });
  if (response.status === 404) return undefined;
  if (!response.ok) throw new Error(`${place} answers ${response.status}`);
  return (await response.json()) as Ratios;
}

/** Runs a bench and reads the last line that it prints. */
function bench(name: string): unknown {
  const { stdout, status } = spawnSync(process.execPath, ['bench/run.ts', name, '--json'], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
    maxBuffer: 64 * 1024 * 1024,
  });
  const lines = stdout.trimEnd().split('\n');
  if (status !== 0) throw new Error(`The bench ${name} ended with ${status}:\n${stdout}`);
  console.log(lines.slice(0, -1).join('\n'));
  return JSON.parse(lines.at(-1)!);
}

function run(): Ratios {
  return { ...graphRatios(bench('graph') as GraphBench), ...engineRatios(bench('engine') as EngineBench) };
}

if (process.argv[1] === import.meta.filename) {
  const { values } = parseArgs({ options: { against: { type: 'string' }, out: { type: 'string' } } });
  const before = values.against === undefined ? undefined : await earlier(values.against);
  let now = run();
  if (before !== undefined && fallen(now, before).length > 0) {
    console.log('A ratio fell: once more, in case it was the machine.');
    now = better(now, run());
  }
  const text = table(now, before);
  console.log(text);
  const summary = process.env['GITHUB_STEP_SUMMARY'];
  if (summary) appendFileSync(summary, `## Bench\n\n${text}\n`);
  if (values.out !== undefined) writeFileSync(values.out, `${JSON.stringify(now, undefined, 2)}\n`);
  if (before !== undefined && fallen(now, before).length > 0) process.exitCode = 1;
}
