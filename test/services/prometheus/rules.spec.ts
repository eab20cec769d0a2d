/** The alarms that deploy/prometheus brings: Prometheus' own tool reads them, and each fires when it should. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { STATUS_CODES } from '../../../src/errors.ts';
import { root } from '../../support/installed-package.ts';
import { requireProgram } from '../../support/programs.ts';

const RULES = join(root, 'deploy', 'prometheus', 'rules.yml');
const CASES = join(import.meta.dirname, 'rules.test.yml');

interface Rules {
  groups: {
    rules: {
      alert: string;
      expr: string;
      labels: Record<string, string>;
      annotations: Record<string, string>;
    }[];
  }[];
}
interface Cases {
  tests: { name: string; promql_expr_test: { expr: string; exp_samples: unknown[] }[] }[];
}

const read = <T>(file: string): T => parse(readFileSync(file, 'utf8')) as T;

/** Fails with what promtool says. */
function promtool(...args: string[]): string {
  return execFileSync(requireProgram('promtool', 'prometheus'), args, {
    encoding: 'utf8',
    cwd: join(root, 'deploy', 'prometheus'),
  });
}

describe('alarms for Prometheus', () => {
  const alarms = read<Rules>(RULES).groups.flatMap(({ rules }) => rules);

  it('are read by Prometheus, as is the configuration beside them', () => {
    assert.match(promtool('check', 'rules', RULES), /SUCCESS/);
    assert.match(promtool('check', 'config', 'prometheus.yml'), /SUCCESS/);
  });

  it('fire when they should, and are silent while all is in order', () => {
    assert.match(promtool('test', 'rules', CASES), /SUCCESS/);
    const fired = read<Cases>(CASES).tests.flatMap(({ promql_expr_test: cases }) =>
      cases.flatMap(({ expr, exp_samples: samples }) =>
        samples.length > 0 ? [/alertname="(\w+)"/.exec(expr)?.[1]] : [],
      ),
    );
    assert.deepEqual(new Set(fired), new Set(alarms.map(({ alert }) => alert)));
  });

  it('count no failure of a client', () => {
    const { expr } = alarms.find(({ alert }) => alert === 'M2fpFailures')!;
    const ofClients = Object.entries(STATUS_CODES).flatMap(([code, status]) => (status < 500 ? [code] : []));
    const [, left] = /code!~"M2FP_\(([A-Z_|]+)\)"/.exec(expr)!;
    assert.deepEqual(
      left!.split('|').toSorted(),
      ofClients.map((code) => code.replace('M2FP_', '')).toSorted(),
    );
  });

  for (const { alert, labels, annotations } of alarms) {
    it(`${alert} says what is wrong, how bad it is, and what to do`, () => {
      assert.match(alert, /^M2fp[A-Z]/);
      assert.ok(['critical', 'warning', 'info'].includes(labels['severity']!));
      assert.ok(annotations['summary']!.length > 20 && annotations['runbook']!.length > 40);
      const others = [...annotations['runbook']!.matchAll(/\bM2fp\w+/g)].map(([name]) => name);
      for (const name of others)
        assert.ok(
          alarms.some((other) => other.alert === name),
          name,
        );
    });
  }
});
