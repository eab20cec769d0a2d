/**
 * What a service shows in a browser: the page to try it with, its description (OpenAPI), and a page that shows that. All
 * addresses in them are relative, so that the service may lie anywhere; nothing is loaded from elsewhere.
 */
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { extname, join } from 'node:path';
import { promisify } from 'node:util';
import { brotliDecompress } from 'node:zlib';
import { M2fpError } from '../errors.ts';
import { isFromSource, packageRoot } from '../paths.ts';
import { PALETTE_OF_LABELS } from '../parsing/options/palette.ts';
import { openApi } from './openapi/document.ts';

/** Status, headers (in lower case) and body of an HTTP response. */
export interface SiteAnswer {
  statusCode: 200 | 308;
  headers: Record<string, string>;
  body: Buffer | string;
}

/** What the end of a path may ask for, as people read it. */
export const SITE_ENDS = ['/', '/docs', '/openapi.json', '/files/NAME'] as const;

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.json': 'application/json',
  '.jpg': 'image/jpeg',
  '.svg': 'image/svg+xml',
};

/** Of the package swagger-ui-dist; the build lays them beside the other files. */
const VIEWER = new Set(['swagger-ui.css', 'swagger-ui-bundle.js']);
const FILES = new Set([
  'page.css',
  'texts.js',
  'pixels.js',
  'page.js',
  'refusal.js',
  'docs.css',
  'docs.js',
  'icon.svg',
  'palette.json',
  'two-people.jpg',
  'group.jpg',
  'portrait.jpg',
  'running.jpg',
  ...VIEWER,
]);

/** No script and no style but those in files of its own; `data:` is for the symbols in the viewer's style sheet. */
const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; connect-src 'self'; " +
  "base-uri 'none'; form-action 'none'; frame-ancestors 'self'";

/**
 * The answer to a GET; undefined where the path asks for nothing of this.
 * @param path of the request, for example `/m2fp/docs`, in any case, as Express compares it
 * @param route the path as the flow names it, which tells of a slash that the client has left out
 * @throws {M2fpError} `M2FP_NOTHING_FOUND` for a file that there is not
 */
export async function siteAnswer(path: string, route = path): Promise<SiteAnswer | undefined> {
  const [, folder, end] = /([^/]*)\/([^/]*)\/?$/.exec(path.toLowerCase()) ?? ['', '', ''];
  if (route.endsWith('/')) {
    // The addresses in the page begin where it lies.
    return path.endsWith('/') ? page('index.html') : moved(`${path.slice(path.lastIndexOf('/') + 1)}/`);
  }
  if (end === 'docs') return path.endsWith('/') ? moved('../docs') : page('docs.html');
  if (end === 'openapi.json') return answer('.json', JSON.stringify(openApi()));
  if (folder !== 'files') return undefined;
  if (!FILES.has(end)) throw new M2fpError('M2FP_NOTHING_FOUND', `There is no file "${end.slice(0, 80)}".`);
  const content = end === 'palette.json' ? JSON.stringify(PALETTE_OF_LABELS) : await fileOf(end);
  return answer(extname(end), content);
}

const page = async (name: string): Promise<SiteAnswer> => answer('.html', await fileOf(name));

function answer(extension: string, body: Buffer | string): SiteAnswer {
  const headers = {
    'content-type': TYPES[extension]!,
    // Kept, but asked for again: the next version of the package has others.
    'cache-control': 'no-cache',
    'x-content-type-options': 'nosniff',
    ...(extension === '.html' && { 'content-security-policy': POLICY, 'referrer-policy': 'no-referrer' }),
  };
  return { statusCode: 200, headers, body };
}

/** @param location relative to the path that was asked for, since a proxy may have put another before it */
function moved(location: string): SiteAnswer {
  return { statusCode: 308, headers: { location, 'cache-control': 'no-cache' }, body: '' };
}

/** Of 1.7 MB, so it is not unpacked for each request. */
const unpacked = new Map<string, Promise<Buffer>>();

function fileOf(name: string): Promise<Buffer> {
  const folder = join(packageRoot(), isFromSource ? 'src' : 'dist', 'service', 'page');
  if (!VIEWER.has(name)) return readFile(join(folder, name));
  if (isFromSource) return readFile(createRequire(import.meta.url).resolve(`swagger-ui-dist/${name}`));
  const known = unpacked.get(name);
  if (known) return known;
  const reading = readFile(join(folder, `${name}.br`)).then(promisify(brotliDecompress));
  unpacked.set(name, reading);
  reading.catch(() => unpacked.delete(name));
  return reading;
}
