/**
 * `npm run check:licences`: whether what users get, installed beside us or bundled in `dist`, has licences that go with
 * ours (Apache-2.0). Needs a built package.
 */
import { existsSync, readFileSync } from 'node:fs';
import { packages } from './npm.ts';

/** They ask for their text and names, which dist/THIRD-PARTY-NOTICES.txt and the packages themselves bring. */
const ALLOWED = new Set([
  '0BSD',
  'Apache-2.0',
  'BlueOak-1.0.0',
  'BSD-2-Clause',
  'BSD-3-Clause',
  'CC0-1.0',
  'ISC',
  'MIT',
]);

/** Licences that are fine for some packages only: which, and why. */
const EXCEPTIONS: { licence: string; name: RegExp; why: string }[] = [
  {
    licence: 'LGPL-3.0-or-later',
    name: /^@img\/sharp-(libvips-[a-z0-9-]+|wasm32|win32-(arm64|ia32|x64))$/,
    why: 'libvips: a library of its own that npm installs from its makers, and that anybody may replace; we do not change it',
  },
];

/** Whether an SPDX expression of licences with AND and OR lets us hand out the package. */
function allows(name: string, expression: string): boolean {
  const [, inner] = /^\(([^()]*)\)$/.exec(expression.trim()) ?? [];
  if (inner !== undefined) return allows(name, inner);
  if (/[()]/.test(expression)) return false;
  return expression.split(' AND ').every((all) =>
    all
      .split(' OR ')
      .map((licence) => licence.trim())
      .some(
        (licence) =>
          ALLOWED.has(licence) ||
          EXCEPTIONS.some((exception) => exception.licence === licence && exception.name.test(name)),
      ),
  );
}

export interface Licensed {
  name: string;
  version: string;
  license?: string;
}

/** What the build has noted of the packages that it took code from (tools/notices.ts). */
export function bundled(notices: string): Licensed[] {
  return [...notices.matchAll(/^={80}\n(\S+) (\S+) \((.+)\)$/gm)].map(([, name, version, license]) => ({
    name: name!,
    version: version!,
    license: license!,
  }));
}

/** Those whose licence is unknown or not one of ours, one sentence each. */
export function licenceFaults(all: Licensed[]): string[] {
  return all
    .filter(({ name, license }) => license === undefined || !allows(name, license))
    .map(({ name, version, license }) => `${name} ${version}: ${license ?? 'no licence'}`);
}

if (process.argv[1] === import.meta.filename) {
  const notices = 'dist/THIRD-PARTY-NOTICES.txt';
  if (!existsSync(notices)) throw new Error(`${notices} is missing: run "npm run build" first`);
  const inside = bundled(readFileSync(notices, 'utf8'));
  const beside = packages('package-lock.json');
  const faults = licenceFaults([...inside, ...beside]);
  for (const fault of faults) console.error(fault);
  if (faults.length > 0) {
    console.error('Is it right to hand these out? Then say so in tools/ci/licences.ts.');
    process.exitCode = 1;
  } else
    console.log(
      `${inside.length} bundled and ${beside.length} installed packages, all with licences that fit.`,
    );
}
