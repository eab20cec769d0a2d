/**
 * `node tools/ci/release.ts due|files|publish|github [--dry-run]`: the steps of a release, each of which may be run
 * again. `files` makes the folder `release`, which the others send out.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { bundled, type Licensed } from './licences.ts';
import { npm } from './npm.ts';

const FOLDER = 'release';
const SUMS = 'SHA256SUMS';
/** Older ones know nothing of trusted publishing. */
const OLDEST_NPM = [11, 5, 1];
export const REGISTRY = 'https://registry.npmjs.org';

const { name, version } = JSON.parse(readFileSync('package.json', 'utf8')) as {
  name: string;
  version: string;
};

/** The versions that the registry has of a package; undefined where it does not know the package. */
export async function publishedVersions(registry: string, ofPackage: string): Promise<string[] | undefined> {
  const response = await fetch(`${registry}/${ofPackage.replace('/', '%2f')}`, {
    headers: { accept: 'application/vnd.npm.install-v1+json', 'cache-control': 'no-cache' },
    signal: AbortSignal.timeout(30_000),
  });
  if (response.status === 404) return undefined;
  if (!response.ok) throw new Error(`${registry} answers ${response.status}`);
  const { versions } = (await response.json()) as { versions: object };
  return Object.keys(versions);
}

/**
 * Whether this version is to be published now, and why (not). The very first release goes by hand: npm takes a trusted
 * publisher only for a package that it has.
 */
export function due(versions: string[] | undefined, wanted: string): { due: boolean; why: string } {
  if (versions === undefined)
    return {
      due: false,
      why: 'npm does not have the package yet: the first release goes by hand, see CONTRIBUTING.md',
    };
  if (versions.includes(wanted)) return { due: false, why: `npm has ${wanted}` };
  return { due: true, why: `npm does not have ${wanted} yet` };
}

/** What CHANGELOG.md says of a version. */
export function notes(changelog: string, ofVersion: string): string {
  const [, ...sections] = changelog.split(/^## /m);
  const section = sections.find((text) => text.startsWith(ofVersion) || text.startsWith(`[${ofVersion}]`));
  if (section === undefined) throw new Error(`CHANGELOG.md has no section for ${ofVersion}`);
  return section.slice(section.indexOf('\n') + 1).trim();
}

/** As sha256sum writes it and `sha256sum --check` reads it. */
export function checksums(folder: string): string {
  return readdirSync(folder)
    .filter((file) => file !== SUMS)
    .toSorted()
    .map(
      (file) =>
        `${createHash('sha256')
          .update(readFileSync(join(folder, file)))
          .digest('hex')}  ${file}\n`,
    )
    .join('');
}

interface Bom {
  metadata: { component: { name: string; type: string } };
  components: object[];
}

/** npm's own list, which names what is installed beside us, with what is bundled. */
export function withBundled(bom: Bom, packageName: string, inside: Licensed[]): Bom {
  const component = { ...bom.metadata.component, name: packageName };
  const more = inside.map((one) => ({
    'bom-ref': `bundled:${one.name}@${one.version}`,
    type: 'library',
    name: one.name,
    version: one.version,
    scope: 'required',
    purl: `pkg:npm/${one.name.replace('@', '%40')}@${one.version}`,
    description: 'bundled in dist',
    licenses: [/[ (]/.test(one.license!) ? { expression: one.license } : { license: { id: one.license } }],
  }));
  return { ...bom, metadata: { ...bom.metadata, component }, components: [...bom.components, ...more] };
}

/** Builds, packs, and lays the tarball, the list of what is in it and the checksums into `release`. */
function makeFiles(): void {
  rmSync(FOLDER, { recursive: true, force: true });
  mkdirSync(FOLDER);
  npm(['pack', '--silent', '--pack-destination', FOLDER]);
  const bom = JSON.parse(
    npm(['sbom', '--package-lock-only', '--omit=dev', '--workspaces=false', '--sbom-format=cyclonedx']),
  ) as Bom;
  const inside = bundled(readFileSync('dist/THIRD-PARTY-NOTICES.txt', 'utf8'));
  writeFileSync(
    join(FOLDER, 'sbom.cdx.json'),
    `${JSON.stringify(withBundled(bom, name, inside), undefined, 2)}\n`,
  );
  writeFileSync(join(FOLDER, SUMS), checksums(FOLDER));
}

/** What `files` has made. */
function released(): { tarball: string; all: string[] } {
  const files = existsSync(FOLDER) ? readdirSync(FOLDER) : [];
  const tarball = files.find((file) => file.endsWith(`-${version}.tgz`));
  if (tarball === undefined)
    throw new Error(`No tarball of ${version} in ${FOLDER}: run "npm run release:files" first`);
  return { tarball: `./${FOLDER}/${tarball}`, all: files.toSorted().map((file) => `${FOLDER}/${file}`) };
}

/** Runs a program, shown; ends this one as it ends. */
function run(program: string, args: string[]): void {
  console.log([program, ...args].join(' '));
  const { status, error } = spawnSync(program, args, { stdio: 'inherit' });
  if (error !== undefined) throw error;
  if (status !== 0) process.exit(status ?? 1);
}

function isOlder(has: string, oldest: number[]): boolean {
  const parts = has.trim().split('.').map(Number);
  const at = oldest.findIndex((part, i) => part !== parts[i]);
  return at !== -1 && parts[at]! < oldest[at]!;
}

/** By trusted publishing: npm asks GitHub who runs, so that there is no token; provenance comes with it. */
async function publish(dryRun: boolean): Promise<void> {
  const { tarball } = released();
  const has = npm(['--version']);
  if (isOlder(has, OLDEST_NPM))
    throw new Error(`npm ${OLDEST_NPM.join('.')} or newer is needed, this is ${has.trim()}`);
  if (!dryRun && (await publishedVersions(REGISTRY, name))?.includes(version)) {
    console.log(`npm has ${name} ${version}: nothing to do`);
    return;
  }
  run('npm', ['publish', tarball, '--access=public', ...(dryRun ? ['--dry-run'] : ['--provenance'])]);
}

/** The release on GitHub, with all files; where it is there already, only the files. */
function publishOnGithub(dryRun: boolean): void {
  const { all } = released();
  const tag = `v${version}`;
  const text = notes(readFileSync('CHANGELOG.md', 'utf8'), version);
  const target = process.env['GITHUB_SHA'];
  const create = ['release', 'create', tag, ...all, '--title', tag, '--notes', text];
  if (target) create.push('--target', target);
  if (dryRun) console.log(['gh', ...create].join(' '));
  else if (spawnSync('gh', ['release', 'view', tag]).status === 0)
    run('gh', ['release', 'upload', tag, ...all, '--clobber']);
  else run('gh', create);
}

if (process.argv[1] === import.meta.filename) {
  const { positionals, values } = parseArgs({
    allowPositionals: true,
    options: { 'dry-run': { type: 'boolean', default: false } },
  });
  const dryRun = values['dry-run'];
  const steps: Record<string, () => void | Promise<void>> = {
    async due() {
      const { due: isDue, why } = due(await publishedVersions(REGISTRY, name), version);
      console.log(why);
      const output = process.env['GITHUB_OUTPUT'];
      if (output) appendFileSync(output, `due=${isDue}\nversion=${version}\n`);
    },
    files: makeFiles,
    publish: () => publish(dryRun),
    github: () => publishOnGithub(dryRun),
  };
  const [step = ''] = positionals;
  if (!Object.hasOwn(steps, step)) throw new Error(`One of ${Object.keys(steps).join(', ')}, not "${step}"`);
  await steps[step]!();
}
