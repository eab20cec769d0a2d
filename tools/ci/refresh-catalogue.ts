/**
 * `node tools/ci/refresh-catalogue.ts`: waits until npm has this version, then asks flows.nodered.org to look at it. The
 * catalogue has no API for that: the form on its page is sent, with the page's token and cookie, as browsers do. What
 * goes wrong is told as a warning and ends well: the release is out, and the button "request refresh" on the package's
 * page does the same.
 */
import { readFileSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { publishedVersions, REGISTRY } from './release.ts';

const CATALOGUE = 'https://flows.nodered.org';

export interface Refresh {
  name: string;
  version: string;
  registry?: string;
  catalogue?: string;
  /** Milliseconds between two looks at the registry, and for all of them. */
  pause?: number;
  patience?: number;
}

/** @throws where npm does not get the version in time, or the catalogue does not take it */
export async function refresh({
  name,
  version,
  registry = REGISTRY,
  catalogue = CATALOGUE,
  ...times
}: Refresh): Promise<void> {
  const { pause = 30_000, patience = 20 * 60_000 } = times;
  const end = Date.now() + patience;
  const isOut = async (): Promise<boolean> =>
    (await publishedVersions(registry, name))?.includes(version) === true;
  while (!(await isOut())) {
    if (Date.now() + pause > end) throw new Error(`npm does not show ${name} ${version} yet`);
    await wait(pause);
  }
  // The page on which packages are added; the package's own does not exist before the first time.
  const address = `${catalogue}/add/node`;
  const page = await fetch(address, { signal: AbortSignal.timeout(30_000) });
  const token = /name="_csrf"[^>]*value="([^"]+)"/.exec(await page.text())?.[1];
  if (!page.ok || token === undefined) throw new Error(`${address} answers ${page.status}, without a form`);
  const cookie = page.headers
    .getSetCookie()
    .map((line) => line.split(';')[0])
    .join('; ');
  const answer = await fetch(address, {
    method: 'POST',
    headers: { cookie },
    body: new URLSearchParams({ _csrf: token, module: name }),
    redirect: 'manual',
    signal: AbortSignal.timeout(60_000),
  });
  if (answer.status >= 400) throw new Error(`${address} answers ${answer.status}: ${await answer.text()}`);
}

if (process.argv[1] === import.meta.filename) {
  const { values } = parseArgs({ options: { 'dry-run': { type: 'boolean', default: false } } });
  const { name, version } = JSON.parse(readFileSync('package.json', 'utf8')) as {
    name: string;
    version: string;
  };
  if (values['dry-run'])
    console.log(`Would wait for ${name} ${version} on ${REGISTRY}, then post it to ${CATALOGUE}/add/node`);
  else
    try {
      await refresh({ name, version });
      console.log(`${CATALOGUE}/node/${name} is being refreshed`);
    } catch (error) {
      console.log(`::warning::The catalogue was not refreshed: ${(error as Error).message}`);
    }
}
