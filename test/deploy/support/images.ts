/** The images of deploy/Dockerfile, built of what is packed, on a base that needs no registry. */
import { cpSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { packInto, root } from '../../support/installed-package.ts';
import { baseImage } from './base-image.ts';
import type { Containers } from './containers.ts';

export interface Images {
  base: string;
  nodeRed: string;
  worker: string;
}

const made = new WeakMap<Containers, Promise<Images>>();

/** Builds both on the first call. */
export function images(containers: Containers): Promise<Images> {
  let both = made.get(containers);
  if (both === undefined) made.set(containers, (both = make(containers)));
  return both;
}

/** What `docker build` would send, with what the tests have built. */
function makeContext(containers: Containers): string {
  const context = join(containers.folder, 'context');
  const release = join(context, 'release');
  mkdirSync(release, { recursive: true });
  for (const name of [
    'package.json',
    'package-lock.json',
    '.dockerignore',
    'deploy/Dockerfile',
    'deploy/image',
  ])
    cpSync(join(root, name), join(context, name), { recursive: true });
  packInto(release);
  return context;
}

/** What npm in a container needs to get its packages as npm here does: registry, certificates, and what is cached. */
async function npmOptions(containers: Containers): Promise<string[]> {
  const config = async (name: string) => await containers.run('npm', ['config', 'get', name], { cwd: '/' });
  const [registry, cafile, cache] = await Promise.all(['registry', 'cafile', 'cache'].map(config));
  const npmrc = join(containers.folder, 'npmrc');
  const authority = cafile === 'null' ? '' : '\ncafile=/root/ca.crt';
  writeFileSync(npmrc, `registry=${registry}\nprefer-offline=true\nupdate-notifier=false${authority}\n`);
  mkdirSync(cache!, { recursive: true });
  const mounts = [`${npmrc}:/root/.npmrc:ro`, `${cache}:/root/.npm`];
  if (cafile !== 'null') mounts.push(`${cafile}:/root/ca.crt:ro`);
  return mounts.flatMap((mount) => ['--volume', mount]);
}

async function make(containers: Containers): Promise<Images> {
  const context = makeContext(containers);
  const [base, npm] = await Promise.all([baseImage(containers), npmOptions(containers)]);
  const build = async (target: string): Promise<string> => {
    const image = `localhost/m2fp-${target}:1`;
    await containers.podman(
      'build',
      '--quiet',
      '--format=docker',
      '--network=host',
      ...npm,
      '--build-arg',
      `BASE=${base}`,
      '--build-arg',
      `WORKER_BASE=${base}`,
      '--build-arg',
      'VERSION=0.0.0-test',
      '--file',
      join(context, 'deploy', 'Dockerfile'),
      '--target',
      target,
      '--tag',
      image,
      context,
    );
    return image;
  };
  // One after the other: the second one takes what the first one has built.
  const nodeRed = await build('node-red');
  return { base, nodeRed, worker: await build('worker') };
}
