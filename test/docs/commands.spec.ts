/** The commands that the pages tell work here: scripts, tests, `m2fp` with its options, addresses of the examples. */
import assert from 'node:assert/strict';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import packageJson from '../../package.json' with { type: 'json' };
import parsingSchema from '../../schemas/parsing.schema.json' with { type: 'json' };
import summarySchema from '../../schemas/summary.schema.json' with { type: 'json' };
import { STATUS_CODES } from '../../src/errors.ts';
import { problemOf } from '../../src/service/problem.ts';
import { m2fp } from '../cli/support.ts';
import { commands, pages, read, root } from './pages.ts';

const told = pages.flatMap((page) => [
  ...commands(page).map((line) => ({ page, line })),
  ...[...read(page).matchAll(/`((?:npx |npm run )?[a-z0-9:]+ [^`\n]+)`/g)].map(([, line]) => ({
    page,
    line: line!,
  })),
]);

/** What fails the check, each with its page. */
const failing = (check: (line: string) => boolean): string[] =>
  told.filter(({ line }) => !check(line)).map(({ page, line }) => `${page}: ${line}`);

describe('commands that the pages tell', () => {
  it('are found', () => {
    const lines = told.map(({ line }) => line);
    assert.ok(lines.includes('npm start') && lines.includes('m2fp convert --weights ema'));
    assert.ok(
      lines.some((line) =>
        line.includes('m2fp worker --redis redis://192.168.1.20:6379 --queue m2fp --model'),
      ),
    );
  });

  it('name scripts of package.json', () => {
    const scripts: Record<string, string> = packageJson.scripts;
    const names = (line: string): string[] =>
      [...line.matchAll(/\bnpm run (?:--silent )?([\w:-]+)/g)].map(([, name]) => name!);
    assert.deepEqual(
      failing((line) => names(line).every((name) => name in scripts)),
      [],
    );
    assert.ok(told.some(({ line }) => names(line).includes('test:services')));
  });

  it('name benches and tests that exist', () => {
    const benches = readFileSync(join(root, 'bench/run.ts'), 'utf8');
    assert.deepEqual(
      failing((line) => {
        const bench = /npm run bench -- (\w+)/.exec(line)?.[1];
        const test = /npx mocha (test\/[\w./-]+)/.exec(line)?.[1];
        const isBench = bench === undefined || bench === 'NAME' || new RegExp(`\\b${bench}\\b`).test(benches);
        return isBench && (test === undefined || existsSync(join(root, test)));
      }),
      [],
    );
  });

  it('give m2fp commands and options that it has', async () => {
    const helps = new Map<string, string>();
    for (const name of [
      'convert',
      'parse',
      'pull',
      'models',
      'worker',
      'doctor',
      'quantize',
      'compare',
      'export',
      'video',
    ]) {
      const { code, out } = await m2fp([name, '--help']);
      assert.equal(code, 0);
      helps.set(name, out);
    }
    const used = told.flatMap(({ page, line }) => {
      const call = /(?:^|&& |npx |" )m2fp (\w[\w-]*)(.*)$/.exec(line);
      return call ? [{ page, line, name: call[1]!, rest: call[2]! }] : [];
    });
    assert.ok(new Set(used.map(({ name }) => name)).size > 6);
    const wrong = used.filter(({ name, rest }) => {
      if (name === 'COMMAND') return false;
      const options = [...rest.matchAll(/(?<=\s)--[a-z-]+/g)].map(([option]) => option);
      const help = helps.get(name);
      return help === undefined || !options.every((option) => new RegExp(`${option}(?![a-z-])`).test(help));
    });
    assert.deepEqual(
      wrong.map(({ page, line }) => `${page}: ${line}`),
      [],
    );
  });

  it('ask the examples for addresses that they have', () => {
    const urls = globSync('examples/*.json', { cwd: root }).flatMap((file) =>
      (JSON.parse(readFileSync(join(root, file), 'utf8')) as { type: string; url?: string }[]).flatMap(
        ({ type, url }) => (type === 'http in' ? [url] : []),
      ),
    );
    const asked = told.flatMap(({ line }) =>
      [...line.matchAll(/127\.0\.0\.1:1880(\/[\w/]+)/g)].map(([, path]) => path!.replace(/\/ID$/, '/:id')),
    );
    assert.deepEqual([...new Set(asked)].toSorted(), [
      '/colorize',
      '/health',
      '/m2fp/api/jobs',
      '/m2fp/api/jobs/:id',
      '/m2fp/api/parse',
      '/m2fp/mask',
      '/m2fp/upload',
      '/metrics',
      '/parse',
      '/ready',
    ]);
    assert.deepEqual(
      asked.filter((path) => !urls.includes(path)),
      [],
    );
  });
});

describe('the page about messages', () => {
  for (const page of ['docs/messages.md', 'docs/zh-CN/messages.md']) {
    for (const [name, schema] of [
      ['parsing', parsingSchema],
      ['payload', summarySchema],
    ] as const) {
      it(`names every field of msg.${name}: ${page}`, () => {
        const block = new RegExp(`msg\\.${name} = \\{[^]*?\\n?\\};?\n`).exec(read(page))![0];
        const missing = Object.keys(schema.properties).filter(
          (field) => !new RegExp(`\\b${field}\\b`).test(block),
        );
        assert.deepEqual(missing, [], page);
      });
    }
  }

  for (const page of ['docs/messages.md', 'docs/zh-CN/messages.md']) {
    it(`tells every error code with its status: ${page}`, () => {
      const rows = read(page).matchAll(/^\| `(M2FP_\w+)`\s*\| (\d+)/gm);
      assert.deepEqual(
        Object.fromEntries([...rows].map(([, code, status]) => [code, Number(status)])),
        STATUS_CODES,
        page,
      );
    });
  }
});

describe('the page about HTTP', () => {
  const codes = new Set(Object.keys(STATUS_CODES).map((code) => problemOf({ code }).code));
  const statuses = Object.fromEntries([...codes].map((code) => [code, problemOf({ code }).status]));
  for (const page of ['docs/http.md', 'docs/zh-CN/http.md']) {
    it(`has a section for every error, with its status: ${page}`, () => {
      const sections = read(page).matchAll(/^### (M2FP_\w+|INTERNAL)\n\n(\d+)/gm);
      const inPage = Object.fromEntries([...sections].map(([, code, status]) => [code, Number(status)]));
      assert.deepEqual(inPage, statuses);
    });
  }
});
