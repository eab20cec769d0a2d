/** The example "Parsing service" from the packed package: whatever it answers is as its own OpenAPI document says. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import sharp from 'sharp';
import { generateApi } from 'swagger-typescript-api';
import { Description } from '../support/described.ts';
import { temporaryFolder } from '../support/installed-package.ts';
import { example, NodeRed, VERSIONS } from '../support/node-red.ts';
import { twoPeople as largeImage } from '../support/images.ts';

const twoPeople = await sharp(largeImage).resize(224).png().toBuffer();

const form = (fields: Record<string, string> = {}, image: Buffer = twoPeople): RequestInit => {
  const body = new FormData();
  for (const [name, value] of Object.entries(fields)) body.append(name, value);
  body.append('image', new Blob([new Uint8Array(image)]), 'picture.png');
  return { method: 'POST', body };
};
const json = (value: object): RequestInit => ({
  method: 'POST',
  body: JSON.stringify(value),
  headers: { 'content-type': 'application/json' },
});
const accepting = (accept: string): RequestInit => ({ ...form(), headers: { accept } });
const image = twoPeople.toString('base64');

/** Route of the document, what follows it, the request, and the status and type of the answer. */
const ANSWERS: [route: string, request: string, init: RequestInit, status: number, type: string][] = [
  ['/', '/', {}, 200, 'text/html'],
  ['/', '', { redirect: 'manual' }, 308, ''],
  ['/docs', '/docs', {}, 200, 'text/html'],
  ['/docs', '/docs/', { redirect: 'manual' }, 308, ''],
  ['/openapi.json', '/openapi.json', {}, 200, 'application/json'],
  ...['page.css', 'docs.css', 'swagger-ui.css'].map(fileOf('text/css')),
  ...['texts.js', 'pixels.js', 'page.js', 'refusal.js', 'docs.js', 'swagger-ui-bundle.js'].map(
    fileOf('text/javascript'),
  ),
  ...['two-people.jpg', 'group.jpg', 'portrait.jpg', 'running.jpg'].map(fileOf('image/jpeg')),
  ['/files/{file}', '/files/palette.json', {}, 200, 'application/json'],
  ['/files/{file}', '/files/icon.svg', {}, 200, 'image/svg+xml'],
  ['/files/{file}', '/files/..%2f..%2fpackage.json', {}, 404, 'application/problem+json'],
  ['/live', '/live', {}, 200, 'application/json'],
  ['/ready', '/ready', {}, 200, 'application/json'],
  ['/health', '/health', {}, 200, 'application/json'],
  ['/metrics', '/metrics', {}, 200, 'text/plain'],
  ['/upload', '/upload', form(), 200, 'image/png'],
  ['/upload', '/UPLOAD', form(), 200, 'image/png'],
  ['/upload', '/Upload/?view=map', form(), 200, 'image/png'],
  ['/api/parse', '/API/parse/', form(), 200, 'application/json'],
  ['/ready', '/Ready/', {}, 200, 'application/json'],
  ['/docs', '/DOCS', {}, 200, 'text/html'],
  ['/files/{file}', '/Files/Page.CSS', {}, 200, 'text/css'],
  ['/openapi.json', '/OpenAPI.json', {}, 200, 'application/json'],
  ['/upload', '/upload', form({}, Buffer.from('a text')), 415, 'application/problem+json'],
  ['/api/parse', '/api/parse', form(), 200, 'application/json'],
  ['/api/parse', '/api/parse', form({ masks: 'rle', scoreThreshold: '0.3' }), 200, 'application/json'],
  ['/api/parse', '/api/parse', json({ image, masks: 'polygon', labels: ['Face'] }), 200, 'application/json'],
  [
    '/api/parse',
    '/api/parse?masks=png&picture',
    { method: 'POST', body: new Uint8Array(twoPeople) },
    200,
    'application/json',
  ],
  ['/api/parse', '/api/parse?format=coco&masks=polygon', form(), 200, 'application/json'],
  ['/api/parse', '/api/parse?format=coco', form(), 200, 'application/json'],
  ['/api/parse', '/api/parse', accepting('image/webp'), 200, 'image/webp'],
  ['/api/parse', '/api/parse?view=labels', accepting('image/png'), 200, 'image/png'],
  ['/api/parse', '/api/parse?view=redacted', accepting('image/jpeg'), 200, 'image/jpeg'],
  ['/api/parse', '/api/parse', accepting('multipart/mixed'), 200, 'multipart/mixed'],
  ['/api/parse', '/api/parse?view=labels', accepting('image/webp, image/png;q=0.5'), 200, 'image/png'],
  ['/api/parse', '/api/parse?view=labels', accepting('image/webp'), 406, 'application/problem+json'],
  ['/api/parse', '/api/parse?view=labels&format=jpeg', form(), 400, 'application/problem+json'],
  ['/api/parse', '/api/parse?view=map&view=map', form(), 400, 'application/problem+json'],
  ['/api/parse', '/api/parse?job.webhook=https://a.example', form(), 400, 'application/problem+json'],
  ['/api/parse', '/api/parse', { method: 'POST', body: '[1]' }, 400, 'application/problem+json'],
  ['/api/parse', '/api/parse', { method: 'POST', body: 'null' }, 400, 'application/problem+json'],
  ['/api/jobs', '/api/jobs?view=labels&format=jpeg', form(), 400, 'application/problem+json'],
  ['/api/jobs', '/api/jobs', accepting('video/mp4'), 202, 'application/json'],
  ['/api/jobs', '/api/jobs', form({}, twoPeople.subarray(0, 20)), 400, 'application/problem+json'],
  ['/api/jobs/{id}', '/api/jobs/none?result=yes', {}, 400, 'application/problem+json'],
  ['/api/jobs/{id}', '/api/jobs/%E0%A4%A', {}, 404, 'application/problem+json'],
  ['/api/jobs/{id}', '/api/jobs/%E0%A4%A', { method: 'DELETE' }, 404, 'application/problem+json'],
  ['/files/{file}', '/files/%E0%A4%A', {}, 404, 'application/problem+json'],
  ['/api/parse', '/api/parse', accepting('video/mp4'), 406, 'application/problem+json'],
  ['/api/parse', '/api/parse?mask=rle', form(), 400, 'application/problem+json'],
  ['/api/parse', '/api/parse', { method: 'POST' }, 400, 'application/problem+json'],
  ['/api/parse', '/api/parse', json({ image: 'https://example.com/a.jpg' }), 400, 'application/problem+json'],
  ['/api/jobs', '/api/jobs?mask=rle', form(), 400, 'application/problem+json'],
  ['/api/jobs/{id}', '/api/jobs/none', {}, 404, 'application/problem+json'],
  ['/api/jobs/{id}', '/api/jobs/none', { method: 'DELETE' }, 404, 'application/problem+json'],
];

function fileOf(type: string) {
  return (name: string): [string, string, RequestInit, number, string] => [
    '/files/{file}',
    `/files/${name}`,
    {},
    200,
    type,
  ];
}

for (const version of VERSIONS) {
  describe(`the parsing service (${version})`, function () {
    this.timeout(120_000);
    let nodeRed: NodeRed;
    let description: Description;

    before(async () => {
      nodeRed = await NodeRed.start(version, example('4 Parsing service'));
      description = new Description(
        (await (await fetch(`${nodeRed.url}/m2fp/openapi.json`)).json()) as object,
      );
    });
    after(() => nodeRed?.stop());

    for (const [route, request, init, status, type] of ANSWERS) {
      const { method = 'GET', headers = {} } = init;
      const accept = (headers as Record<string, string>)['accept'] ?? '';
      it(`answers ${method} /m2fp${request} ${accept} with ${status} ${type}`, async () => {
        const response = await fetch(`${nodeRed.url}/m2fp${request}`, init);
        assert.equal(response.status, status);
        if (type !== '') assert.equal((response.headers.get('content-type') ?? '').split(';')[0], type);
        await description.check(route, method, response);
      });
    }

    it('keeps a job, tells of it, and forgets it', async () => {
      const posted = await fetch(`${nodeRed.url}/m2fp/api/jobs?masks=rle`, form());
      assert.equal(posted.status, 202);
      await description.check('/api/jobs', 'POST', posted);
      const location = new URL(posted.headers.get('location')!, posted.url).href;
      for (;;) {
        const body = await description.check('/api/jobs/{id}', 'GET', await fetch(location));
        const { ended, result } = JSON.parse(body.toString()) as { ended: string | null; result: object };
        if (ended === null) {
          await pause(100);
          continue;
        }
        assert.ok('persons' in result);
        break;
      }
      const gone = await fetch(location, { method: 'DELETE' });
      assert.equal(gone.status, 204);
      await description.check('/api/jobs/{id}', 'DELETE', gone);
      await description.check('/api/jobs/{id}', 'GET', await fetch(location));
    });

    it('gives the result of a job in the form that was asked for', async () => {
      for (const [query, type] of [
        ['format=webp', 'image/webp'],
        ['format=coco', 'application/json'],
        ['', 'application/json'],
      ] as const) {
        const posted = await fetch(`${nodeRed.url}/m2fp/api/jobs?${query}`, form());
        const location = new URL(posted.headers.get('location')!, posted.url).href;
        let response = await fetch(`${location}?result`);
        for (; response.status === 409; response = await fetch(`${location}?result`)) {
          await description.check('/api/jobs/{id}', 'GET', response);
          await pause(100);
        }
        assert.equal((response.headers.get('content-type') ?? '').split(';')[0], type);
        await description.check('/api/jobs/{id}', 'GET', response);
      }
    });

    it('is called by a client that was generated from its description', async () => {
      const folder = temporaryFolder('client');
      mkdirSync(folder, { recursive: true });
      const input = join(folder, 'openapi.json');
      writeFileSync(input, JSON.stringify(description.document));
      await generateApi({ input, output: folder, fileName: 'client.ts', silent: true });
      const program = `
        import { readFileSync } from 'node:fs';
        import { Api, type Parsing } from './client.ts';
        const { api } = new Api({ baseUrl: ${JSON.stringify(`${nodeRed.url}/m2fp`)} });
        const image = new File([readFileSync('picture.png')], 'picture.png');
        const { data } = await api.parse({ image, masks: 'rle' }, {}, { format: 'json' });
        const { persons, parts } = data as Parsing;
        console.log(JSON.stringify({ persons: persons.length, labels: parts.map(({ label }) => label), rle: parts.every(({ mask }) => mask?.size.length === 2) }));
      `;
      writeFileSync(join(folder, 'main.ts'), program);
      writeFileSync(join(folder, 'picture.png'), twoPeople);
      writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
      const options = {
        target: 'es2023',
        module: 'nodenext',
        lib: ['es2023', 'dom', 'dom.iterable'],
        types: ['node'],
        typeRoots: [join(import.meta.dirname, '../../node_modules/@types')],
        strict: true,
        skipLibCheck: true,
        rewriteRelativeImportExtensions: true,
      };
      const files = ['main.ts', 'client.ts'];
      writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions: options, files }));
      const tsc = createRequire(import.meta.url).resolve('typescript/package.json');
      const run = (...args: string[]): string =>
        execFileSync(process.execPath, args, {
          cwd: folder,
          encoding: 'utf8',
          stdio: ['ignore', 'pipe', 'inherit'],
        });
      try {
        run(join(tsc, '..', 'bin', 'tsc'));
      } catch (error) {
        assert.fail((error as { stdout: string }).stdout);
      }
      const told = JSON.parse(run(pathToFileURL(join(folder, 'main.js')).pathname)) as Record<
        string,
        unknown
      >;
      assert.deepEqual([told['persons'], told['rle']], [2, true]);
      assert.ok((told['labels'] as string[]).includes('Face'));
    });
  });
}
