/**
 * `npm run check:package [-- --tarball FILE] [--unpack FOLDER]`: packs, unpacks, and asserts offline what the palette
 * manager, the catalogue and its scorecard (node-red-dev) ask of the package. What only the internet knows is left to
 * `npm run check:scorecard`: whether names are taken (P08, N01) and versions are the latest (P06, D03).
 */
import { execFileSync } from 'node:child_process';
import { existsSync, globSync, mkdtempSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { parse } from 'acorn';
import { type CatalogueType, catalogueTypes } from './catalogue.ts';
import { npm, packages } from './npm.ts';

interface Manifest {
  name?: string;
  description?: string;
  license?: string;
  keywords?: string[];
  repository?: { url?: string };
  bugs?: { url?: string };
  engines?: { node?: string };
  files?: string[];
  scripts?: Record<string, string>;
  dependencies?: Record<string, string>;
  'node-red'?: { version?: string; nodes?: Record<string, string> };
}

const PREFIX = 'm2fp';
const LANGUAGES = ['en-US', 'zh-CN'];
/** The oldest that Node-RED 5 runs on: the scorecard asks that it is accepted (P07). */
const OLDEST_NODE = [22, 9, 0];
/** What the tests run with (P06). */
const NODE_REDS = [
  [4, 1, 0],
  [5, 0, 0],
];
const MOST_DEPENDENCIES = 6;

/** Whether `range`, which must be of the form `>=1.2.3`, takes `version`. */
function takes(range: string | undefined, version: number[]): boolean {
  const from = /^>=(\d+)(?:\.(\d+))?(?:\.(\d+))?$/
    .exec(range ?? '')
    ?.slice(1)
    .map(Number);
  if (from === undefined) return false;
  const at = from.findIndex((part, i) => (part || 0) !== version[i]);
  return at === -1 || (from[at] || 0) < version[at]!;
}

/** What is wrong with package.json. */
function ofManifest(manifest: Manifest): string[] {
  const { name, license, keywords, repository, bugs, engines, scripts = {}, dependencies = {} } = manifest;
  const nodeRed = manifest['node-red'];
  const checks: [boolean, string][] = [
    [Boolean(license), 'P01: no license'],
    [Boolean(repository?.url ?? bugs?.url), 'P03: neither repository nor bugs'],
    [/^@[a-z0-9-]{2,}\/[a-z0-9-]+$/.test(name ?? ''), `P04: ${name} has no scope`],
    [
      Boolean(keywords?.includes('node-red')),
      'P05: the keyword node-red is missing, so the catalogue refuses it',
    ],
    ...NODE_REDS.map((version): [boolean, string] => [
      takes(nodeRed?.version, version),
      `P06: node-red.version ${nodeRed?.version} does not take ${version.join('.')}`,
    ]),
    [
      takes(engines?.node, OLDEST_NODE),
      `P07: engines.node ${engines?.node} does not take ${OLDEST_NODE.join('.')}`,
    ],
    [
      Object.keys(dependencies).length <= MOST_DEPENDENCIES,
      `D01: more than ${MOST_DEPENDENCIES} dependencies`,
    ],
    [Boolean(manifest.description), 'no description'],
    [Object.keys(nodeRed?.nodes ?? {}).length > 0, 'no node-red.nodes'],
  ];
  // npm counts `prepare`, too, where a package is installed from a file.
  const installs = Object.keys(scripts).filter((script) =>
    /^((pre|post)?(un)?install|prepare)$/.test(script),
  );
  return [
    ...checks.filter(([right]) => !right).map(([, fault]) => fault),
    ...installs.map((script) => `the script ${script}: npm 12 skips it, npm 11 warns of it`),
  ];
}

/** What is wrong with one entry of node-red.nodes and the files that belong to it; the types that it brings. */
function ofNodes(folder: string, set: string, entry: string): { types: CatalogueType[]; faults: string[] } {
  const faults: string[] = [];
  const missing = (path: string): boolean => {
    const gone = !existsSync(join(folder, path));
    if (gone) faults.push(`${path} is missing`);
    return gone;
  };
  // The catalogue looks for the HTML in the place of the .js, whatever Node-RED itself would take.
  if (!/^dist\/.+\.js$/.test(entry))
    return { types: [], faults: [`${set}: ${entry} is not a .js below dist`] };
  if (!missing(entry)) {
    try {
      parse(readFileSync(join(folder, entry), 'utf8'), { ecmaVersion: 'latest', sourceType: 'script' });
    } catch (error) {
      faults.push(`${entry} is not CommonJS: ${(error as Error).message}`);
    }
  }
  const base = basename(entry, '.js');
  const beside = dirname(entry);
  for (const language of LANGUAGES) {
    missing(`${beside}/locales/${language}/${base}.html`);
    const texts = `${beside}/locales/${language}/${base}.json`;
    if (!missing(texts)) JSON.parse(readFileSync(join(folder, texts), 'utf8'));
  }
  const page = `${beside}/${base}.html`;
  if (missing(page)) return { types: [], faults };
  const html = readFileSync(join(folder, page), 'utf8');
  const found = catalogueTypes(html);
  faults.push(...found.faults.map((fault) => `${page}: ${fault}`));
  if (!found.types.some(({ name }) => name === set))
    faults.push(`${page}: the catalogue does not find ${set}`);
  for (const { name, category, color, icon, inputs, outputs } of found.types) {
    if (!name.startsWith(PREFIX)) faults.push(`${page}: the type ${name} does not start with ${PREFIX}`);
    if (!html.includes(`data-template-name="${name}"`)) faults.push(`${page}: no form for ${name}`);
    if (category === undefined) faults.push(`${page}: ${name} has no category`);
    if (category === 'config') continue;
    if (typeof icon !== 'string' || !icon.startsWith(PREFIX))
      faults.push(`${page}: ${name} has no icon of ours`);
    else missing(`${beside}/icons/${icon}`);
    if (typeof color !== 'string') faults.push(`${page}: ${name} has no color`);
    if (typeof inputs !== 'number' || typeof outputs !== 'number')
      faults.push(`${page}: ${name} does not tell inputs and outputs`);
  }
  return { types: found.types, faults };
}

/** Routes and topics in what is built, which every other package shares with us. */
function ofNames(folder: string): string[] {
  return globSync('dist/**/*.js', { cwd: folder }).flatMap((file) => {
    // The build breaks long lines, also between two names and in a text.
    const code = readFileSync(join(folder, file), 'utf8').replaceAll('\\\n', '');
    const routes = [...code.matchAll(/httpAdmin\s*\.\s*(?:get|post|put|delete|use)\(\s*["'`]([^"'`$]*)/g)];
    const topics = [...code.matchAll(/comms\s*\.\s*publish\(\s*["'`]([^"'`$]*)/g)];
    return [
      ...routes.filter(([, path]) => !path!.startsWith(`/${PREFIX}`)).map(([, path]) => `route ${path}`),
      ...topics.filter(([, topic]) => !topic!.startsWith(PREFIX)).map(([, topic]) => `topic ${topic}`),
    ].map((name) => `${file}: the ${name} does not start with ${PREFIX}`);
  });
}

/** What is wrong with examples and readme. */
function ofDocuments(folder: string, types: CatalogueType[]): string[] {
  const faults: string[] = [];
  const shown = new Set<unknown>();
  for (const file of globSync('examples/**/*.json', { cwd: folder })) {
    const flow: unknown = JSON.parse(readFileSync(join(folder, file), 'utf8'));
    if (!Array.isArray(flow)) faults.push(`N02: ${file} is not an array`);
    else for (const node of flow as { type?: unknown }[]) shown.add(node.type);
  }
  for (const { name, category } of types)
    if (category !== 'config' && !shown.has(name)) faults.push(`N02: no example shows ${name}`);
  const readme = existsSync(join(folder, 'README.md')) ? readFileSync(join(folder, 'README.md'), 'utf8') : '';
  if (readme.length < 500) faults.push('README.md is missing: the catalogue refuses the package');
  for (const [, image] of readme.matchAll(/!\[[^\]]*\]\(([^)]+)\)/g))
    if (!image!.startsWith('https://'))
      faults.push(`README.md: the catalogue would look for ${image} in the branch master`);
  if (!existsSync(join(folder, 'LICENSE'))) faults.push('LICENSE is missing');
  return faults;
}

/**
 * @param folder the unpacked package
 * @returns what is wrong with it, one sentence each
 */
export function packageFaults(folder: string): string[] {
  const manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Manifest;
  const faults = ofManifest(manifest);
  const types: CatalogueType[] = [];
  for (const [set, entry] of Object.entries(manifest['node-red']?.nodes ?? {})) {
    const nodes = ofNodes(folder, set, entry);
    types.push(...nodes.types);
    faults.push(...nodes.faults);
  }
  const known =
    /^(dist|examples(?!\/ci\/)|models\/demo|resources)\/|^(package\.json|LICENSE|CHANGELOG\.md|README(\.zh-CN)?\.md)$/;
  // Not globSync, which leaves out what begins with a dot.
  const files = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) =>
      join(entry.parentPath, entry.name)
        .slice(folder.length + 1)
        .replaceAll('\\', '/'),
    );
  faults.push(
    ...files.filter((file) => !known.test(file)).map((file) => `${file} does not belong into the package`),
  );
  return [...faults, ...ofNames(folder), ...ofDocuments(folder, types)];
}

/** agent-base before 6 breaks the HTTPS of the whole Node-RED (D02). */
export function badDependencies(lock: string): string[] {
  return packages(lock)
    .filter(({ name, version }) => name === 'agent-base' && Number.parseInt(version, 10) < 6)
    .map(({ name, version }) => `D02: ${name} ${version} patches Node.js itself`);
}

if (process.argv[1] === import.meta.filename) {
  const { values } = parseArgs({ options: { tarball: { type: 'string' }, unpack: { type: 'string' } } });
  const temporary = mkdtempSync(join(tmpdir(), 'm2fp-check-'));
  try {
    const tarball =
      values.tarball ??
      join(temporary, npm(['pack', '--silent', '--ignore-scripts', '--pack-destination', temporary]).trim());
    const folder = resolve(values.unpack ?? join(temporary, 'package'));
    mkdirSync(folder, { recursive: true });
    execFileSync('tar', ['-xzf', basename(tarball), '-C', folder, '--strip-components=1'], {
      cwd: dirname(resolve(tarball)),
    });
    const faults = [...packageFaults(folder), ...badDependencies('package-lock.json')];
    for (const fault of faults) console.error(fault);
    if (faults.length > 0) process.exitCode = 1;
    else console.log('The package keeps what the palette, the catalogue and the scorecard ask for.');
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
}
