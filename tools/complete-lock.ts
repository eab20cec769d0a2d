/**
 * `npm run lock:complete`, after every change of the dependencies. Where a registry does not list the packages of
 * other platforms (@rollup/rollup-win32-x64-msvc and the like), `npm install` leaves them out of package-lock.json,
 * and `npm ci` then refuses that file, on every machine. This adds the entries that are missing.
 */
import { readFileSync, writeFileSync } from 'node:fs';

const LOCK_FILE = 'package-lock.json';

interface LockEntry {
  version?: string;
  dev?: boolean;
  optional?: boolean;
  os?: string[];
  cpu?: string[];
  libc?: string[];
  optionalDependencies?: Record<string, string>;
}

const OS = [
  'aix',
  'android',
  'darwin',
  'freebsd',
  'linux',
  'netbsd',
  'openbsd',
  'openharmony',
  'sunos',
  'win32',
];
const CPU = ['arm64', 'arm', 'ia32', 'loong64', 'mips64el', 'ppc64', 'riscv64', 's390x', 'x64', 'wasm32'];

/** Which platform a package is for, by its name. */
function platformOf(name: string): Pick<LockEntry, 'os' | 'cpu' | 'libc'> {
  const words = name.split('/').at(-1)!.split('-');
  const os = OS.find((system) => words.includes(system));
  const cpu = CPU.find((processor) => words.includes(processor));
  const libc = words.some((word) => word.startsWith('musl'))
    ? 'musl'
    : words.includes('gnu')
      ? 'glibc'
      : undefined;
  return { ...(cpu && { cpu: [cpu] }), ...(os && { os: [os] }), ...(libc && { libc: [libc] }) };
}

/** The places where Node looks for `name` from the package at `path`, nearest first. */
function* placesFor(name: string, path: string): Generator<string> {
  for (
    let folder = path;
    folder !== '';
    folder = folder.slice(0, Math.max(0, folder.lastIndexOf('node_modules/') - 1))
  ) {
    yield `${folder}/node_modules/${name}`;
  }
  yield `node_modules/${name}`;
}

const lock = JSON.parse(readFileSync(LOCK_FILE, 'utf8')) as { packages: Record<string, LockEntry> };
const added: string[] = [];
for (const [path, entry] of Object.entries(lock.packages)) {
  for (const [name, version] of Object.entries(entry.optionalDependencies ?? {})) {
    if ([...placesFor(name, path)].some((place) => lock.packages[place])) continue;
    const { os, cpu, libc } = platformOf(name);
    if (!/^\d+\.\d+\.\d+/.test(version) || !os) {
      throw new Error(
        `${path} needs ${name}@${version}, which is missing and names no exact version and platform`,
      );
    }
    if (os[0] === 'linux' && cpu?.[0] === 'x64' && libc?.[0] !== 'musl') {
      throw new Error(`${name}@${version} is missing: without it the build does not run here`);
    }
    const { dev } = entry;
    lock.packages[`node_modules/${name}`] = {
      version,
      cpu,
      ...(dev && { dev }),
      ...(libc && { libc }),
      optional: true,
      os,
    };
    added.push(`${name}@${version}`);
  }
}
if (added.length > 0) {
  const byPath = Object.entries(lock.packages).toSorted(([a], [b]) => a.localeCompare(b, 'en'));
  lock.packages = Object.fromEntries(byPath);
  writeFileSync(LOCK_FILE, `${JSON.stringify(lock, undefined, 2)}\n`);
}
console.log(added.length === 0 ? `${LOCK_FILE} is complete` : `Added to ${LOCK_FILE}:\n${added.join('\n')}`);
