/**
 * One image for everything, since no registry is asked: Debian, made by mmdebstrap, with Node.js and Node-RED where the
 * official image has them, and Debian's Redis, nginx, Prometheus and mosquitto.
 */
import {
  chmodSync,
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, relative } from 'node:path';
import { root } from '../../support/installed-package.ts';
import type { Containers } from './containers.ts';

const require = createRequire(import.meta.url);

const NAME = 'localhost/m2fp-base:1';

const PACKAGES =
  'ca-certificates,libstdc++6,dash,bash,coreutils,findutils,tar,gzip,mawk,sed,grep,gettext-base,' +
  'redis-server,nginx-light,prometheus,mosquitto,mosquitto-clients';

/** Where the official image has Node-RED. */
const HOME = 'usr/src/node-red';

const PASSWD = `root:x:0:0:root:/root:/bin/sh
nginx:x:101:101::/nonexistent:/usr/sbin/nologin
redis:x:999:1000::/nonexistent:/usr/sbin/nologin
node-red:x:1000:1000::/${HOME}:/bin/sh
mosquitto:x:1883:1883::/nonexistent:/usr/sbin/nologin
nobody:x:65534:65534::/nonexistent:/usr/sbin/nologin
`;

/** The folders of a package of this repository's node_modules, and of all that it needs, as they lie there. */
function closure(name: string): Set<string> {
  const found = new Set<string>();
  const visit = (folder: string): void => {
    if (found.has(folder)) return;
    found.add(folder);
    const text = readFileSync(join(folder, 'package.json'), 'utf8');
    const { dependencies, optionalDependencies } = JSON.parse(text) as Record<string, object | undefined>;
    for (const needed of Object.keys({ ...dependencies, ...optionalDependencies }))
      for (let above = folder; above.startsWith(root); above = dirname(above)) {
        const candidate = join(above, 'node_modules', needed);
        if (!existsSync(join(candidate, 'package.json'))) continue;
        visit(candidate);
        break;
      }
  };
  visit(join(root, 'node_modules', name));
  return found;
}

/** Packages are unpacked, not configured: a quarter of the time, and none of the programs needs more. */
async function unpackDebian(folder: string, containers: Containers): Promise<void> {
  await containers.run('mmdebstrap', [
    '--variant=extract',
    '--format=directory',
    '--hook-dir=/usr/share/mmdebstrap/hooks/merged-usr',
    '--aptopt=Acquire::Languages "none"',
    `--include=${PACKAGES}`,
    'bookworm',
    folder,
  ]);
  for (const unread of ['doc', 'man', 'locale', 'info'])
    rmSync(join(folder, 'usr/share', unread), { recursive: true, force: true });
  writeFileSync(join(folder, 'etc/passwd'), PASSWD);
  writeFileSync(join(folder, 'etc/group'), PASSWD.replace(/^(\w[\w-]*):x:\d+:(\d+):.*$/gm, '$1:x:$2:'));
  symlinkSync('mawk', join(folder, 'usr/bin/awk'));
  chmodSync(join(folder, 'tmp'), 0o1777);
}

function addNodeRed(folder: string): void {
  for (const name of ['usr/local/bin', HOME, 'data', 'root'])
    mkdirSync(join(folder, name), { recursive: true });
  copyFileSync(process.execPath, join(folder, 'usr/local/bin/node'));
  const home = join(folder, HOME);
  for (const from of closure('node-red'))
    cpSync(from, join(home, relative(root, from)), {
      recursive: true,
      // Those of packages that are not needed.
      filter: (file) => !relative(from, file).split('/').includes('node_modules'),
    });
  const npm = createRequire(require.resolve('node-red/package.json')).resolve('npm/package.json');
  symlinkSync(
    join('/', HOME, relative(root, dirname(npm)), 'bin/npm-cli.js'),
    join(folder, 'usr/local/bin/npm'),
  );
}

const made = new WeakMap<Containers, Promise<string>>();

/** Makes it on the first call; its name. */
export function baseImage(containers: Containers): Promise<string> {
  let image = made.get(containers);
  if (image === undefined) made.set(containers, (image = make(containers)));
  return image;
}

async function make(containers: Containers): Promise<string> {
  const folder = join(containers.folder, 'base');
  await unpackDebian(folder, containers);
  addNodeRed(folder);
  await containers.run('bash', [
    '-c',
    `set -o pipefail; chown 1000:1000 "$1/data" && tar --directory "$1" --create . | podman import --quiet --change 'ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin' - "$2"`,
    'import',
    folder,
    NAME,
  ]);
  rmSync(folder, { recursive: true });
  return NAME;
}
