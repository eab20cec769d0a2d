/** The licences of what the bundles hold, as those licences ask. */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Options } from 'tsup';

type Plugin = NonNullable<Options['esbuildPlugins']>[number];

/** Of a path inside a package: the package's own folder, also where one package has brought another. */
const PACKAGE_FOLDER = /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//;

/** Notes the packages that a build takes code from, and writes the licences of all so far to `file` after each build. */
export function notices(file: string): Plugin {
  const packages = new Map<string, string>();
  return {
    name: 'notices',
    setup(build) {
      build.initialOptions.metafile = true;
      build.onEnd(({ metafile }) => {
        const inputs = Object.values(metafile?.outputs ?? {}).flatMap((output) =>
          Object.entries(output.inputs),
        );
        for (const [path, { bytesInOutput }] of inputs) {
          const folder = PACKAGE_FOLDER.exec(path)?.[1];
          if (folder !== undefined && bytesInOutput > 0)
            packages.set(folder, packages.get(folder) ?? notice(folder));
        }
        if (packages.size === 0) return;
        // tsup writes the files of a build after this.
        mkdirSync(dirname(file), { recursive: true });
        writeFileSync(file, [...new Set(packages.values())].toSorted().join('\n'));
      });
    },
  };
}

/** @throws where the package comes without a licence: it must not be bundled then */
function notice(folder: string): string {
  const { name, version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as {
    name: string;
    version: string;
    license?: string;
  };
  if (license === undefined) throw new Error(`${name} names no licence`);
  const text = readdirSync(folder).find((entry) => /^licen[cs]e/i.test(entry));
  const readme = ['README.md', 'readme.md'].find((entry) => existsSync(join(folder, entry)));
  const source = text ?? readme;
  const words = source === undefined ? '' : readFileSync(join(folder, source), 'utf8');
  // Small packages have theirs at the end of the readme.
  const own = text === undefined ? (/^#+ *licen[cs]e[\s\S]*/im.exec(words)?.[0] ?? '') : words;
  return `${'='.repeat(80)}\n${name} ${version} (${license})\n\n${own.trim()}\n`;
}
