/**
 * `npm run changeset -- [add|status|version]`: Changesets, which does not look at a package that has workspaces (ours
 * brings the Node.js of the build). `version` also writes the version into the lock file and keeps the changelog's head.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

type Json = Record<string, unknown>;

const read = (file: string): Json => JSON.parse(readFileSync(file, 'utf8')) as Json;
const write = (file: string, json: Json): void =>
  writeFileSync(file, `${JSON.stringify(json, undefined, 2)}\n`);

/** Changesets writes a release right below the title: what stood there, up to the first release, goes above it again. */
export function keepHead(before: string, after: string): string {
  const head = before.slice(0, before.indexOf('\n## '));
  const title = head.slice(0, head.indexOf('\n') + 1);
  const rest = head.slice(title.length).trim();
  if (rest === '' || !after.startsWith(title)) return after;
  const releases = after.slice(title.length).replace(`${rest}\n\n`, '').trimStart();
  return `${title}\n${rest}\n\n${releases}`;
}

/** @param folder with package.json, CHANGELOG.md and .changeset */
export function changeset(folder: string, args: string[]): number {
  const [manifest, lock, changelog] = ['package.json', 'package-lock.json', 'CHANGELOG.md'].map((name) =>
    join(folder, name),
  ) as [string, string, string];
  const { workspaces } = read(manifest);
  const log = existsSync(changelog) ? readFileSync(changelog, 'utf8') : '';
  const program = createRequire(import.meta.url).resolve('@changesets/cli/package.json');
  const { bin } = read(program) as { bin: Record<string, string> };
  write(manifest, { ...read(manifest), workspaces: undefined });
  let status: number | null = null;
  try {
    ({ status } = spawnSync(process.execPath, [join(dirname(program), bin['changeset']!), ...args], {
      cwd: folder,
      stdio: 'inherit',
    }));
  } finally {
    // In the place where it was: nobody wants to read of it in every release.
    const entries = Object.entries(read(manifest));
    if (workspaces !== undefined) {
      const at = entries.findIndex(([name]) => name === 'engines');
      entries.splice(at === -1 ? entries.length : at, 0, ['workspaces', workspaces]);
    }
    write(manifest, Object.fromEntries(entries));
  }
  if (status === 0 && args[0] === 'version') {
    const { version } = read(manifest);
    const locked = read(lock) as { packages: Record<string, Json> } & Json;
    locked['version'] = version;
    locked.packages['']!['version'] = version;
    write(lock, locked);
    writeFileSync(changelog, keepHead(log, readFileSync(changelog, 'utf8')));
  }
  return status ?? 1;
}

if (process.argv[1] === import.meta.filename)
  process.exitCode = changeset(process.cwd(), process.argv.slice(2));
