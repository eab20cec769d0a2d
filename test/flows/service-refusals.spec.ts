/** What the example "Parsing service" refuses, from the packed package: each answer is as its own OpenAPI document says. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as pause } from 'node:timers/promises';
import sharp from 'sharp';
import { Description } from '../support/described.ts';
import { example, type FlowNode, NodeRed } from '../support/node-red.ts';
import { twoPeople } from '../support/images.ts';

const MB = 2 ** 20;
const picture = new Uint8Array(await sharp(twoPeople).resize(224).png().toBuffer());

/** Those that a picture is sent to, and those of jobs. */
const POSTS = ['/api/parse', '/upload', '/api/jobs'];
const ROUTES: [method: string, route: string, path: string][] = [
  ...POSTS.map((path): [string, string, string] => ['POST', path, path]),
  ['GET', '/api/jobs/{id}', '/api/jobs/01a229e6-bcdc-7000-9c63-96d9a7b5ac0e'],
  ['DELETE', '/api/jobs/{id}', '/api/jobs/01a229e6-bcdc-7000-9c63-96d9a7b5ac0e'],
];

describe('what the parsing service refuses', function () {
  this.timeout(120_000);
  let nodeRed: NodeRed;
  let description: Description;
  let deploys = 1;

  /** Deploys the example with other fields, as the editor does. @param fields by the type of the nodes */
  async function deploy(fields: Record<string, object>): Promise<void> {
    const flow = example('4 Parsing service').map((node): FlowNode => ({
      ...node,
      // Those of the deploy before stay unless others come.
      ...(node.type === 'm2fp-request' && { credentials: { keys: '' } }),
      ...fields[node.type],
    }));
    const { status } = await nodeRed.post('/flows', {
      headers: { 'content-type': 'application/json', 'Node-RED-Deployment-Type': 'full' },
      body: JSON.stringify(flow),
    });
    assert.equal(status, 204);
    deploys++;
    while (nodeRed.log.split('Started flows').length <= deploys) await once(nodeRed.child, 'log');
  }

  before(async () => {
    nodeRed = await NodeRed.start('node-red', example('4 Parsing service'));
    description = new Description((await (await fetch(`${nodeRed.url}/m2fp/openapi.json`)).json()) as object);
  });
  after(() => nodeRed?.stop());

  /** Asserts what the answer is. @returns it as JSON */
  async function refused(
    [method, route, path]: [string, string, string],
    status: number,
    init: RequestInit = {},
  ): Promise<Record<string, unknown>> {
    const body = method === 'POST' ? { body: picture } : {};
    const response = await fetch(`${nodeRed.url}/m2fp${path}`, { method, ...body, ...init });
    const told = await description.check(route, method, response);
    assert.equal(response.status, status, `${method} ${path}: ${told.toString().slice(0, 500)}`);
    assert.equal(response.headers.get('content-type'), 'application/problem+json');
    return JSON.parse(told.toString()) as Record<string, unknown>;
  }
  const post = (path: string): [string, string, string] => ['POST', path.split('?')[0]!, path];

  describe('of who asks, and how much', () => {
    before(() => deploy({ 'm2fp-request': { maxBody: 1, perMinute: 30, credentials: { keys: 'one two' } } }));
    const one = { 'x-api-key': 'one' };

    for (const route of ROUTES) {
      it(`is whoever has no key, or a wrong one: ${route[0]} ${route[1]}`, async () => {
        await refused(route, 401);
        await refused(route, 401, { headers: { 'x-api-key': 'three' } });
      });
    }

    for (const path of POSTS) {
      it(`is what cannot be parsed, or not answered: ${path}`, async () => {
        const large = new Uint8Array(3 * MB);
        assert.equal(
          (await refused(post(path), 413, { headers: one, body: large }))['code'],
          'M2FP_IMAGE_TOO_LARGE',
        );
        await refused(post(path), 415, { headers: one, body: 'a text' });
        await refused(post(path), 400, { headers: one, body: '' });
        await refused(post(`${path}?view=none`), 400, { headers: one });
        if (path === '/api/parse')
          await refused(post(path), 406, { headers: { ...one, accept: 'video/mp4' } });
      });
    }

    for (const route of ROUTES) {
      it(`is who asks too often: ${route[0]} ${route[1]}`, async () => {
        const headers = { 'x-api-key': 'two' };
        // Without a picture, nothing is parsed.
        const init = route[0] === 'POST' ? { headers, body: '' } : { headers };
        let response: Response;
        do {
          response = await fetch(`${nodeRed.url}/m2fp${route[2]}`, { method: route[0], ...init });
          await description.check(route[1], route[0], response);
        } while (response.status !== 429);
        assert.ok(Number(response.headers.get('retry-after')) > 0);
      });
    }
  });

  describe('of a service that is in trouble', () => {
    it('is what waits too long', async () => {
      await deploy({ 'm2fp-infer': { maxAge: 0.001 } });
      const answers = await Promise.all(
        Array.from({ length: 8 }, async () => {
          const response = await nodeRed.post('/m2fp/api/parse', { body: picture });
          await description.check('/api/parse', 'POST', response);
          return response.status;
        }),
      );
      assert.ok(answers.includes(504), answers.join());
    });

    it('is what has no place in line', async () => {
      await deploy({ 'm2fp-infer': { policy: 'reject' } });
      const answers = await Promise.all(
        Array.from({ length: 8 }, async () => {
          const response = await nodeRed.post('/m2fp/api/parse', { body: picture });
          await description.check('/api/parse', 'POST', response);
          return response.status;
        }),
      );
      assert.ok(answers.includes(429), answers.join());
    });

    /** A job of `body`, when it has come to `wanted`; the path to its result. */
    async function jobOf(
      body: Uint8Array<ArrayBuffer>,
      wanted: string,
      meanwhile = async (): Promise<void> => {},
    ): Promise<string> {
      const { status, headers, url } = await nodeRed.post('/m2fp/api/jobs', { body });
      assert.equal(status, 202);
      const path = new URL(headers.get('location')!, url).pathname.slice('/m2fp'.length);
      await meanwhile();
      for (let state = 'queued'; state !== wanted; await pause(50)) {
        const response = await fetch(`${nodeRed.url}/m2fp${path}`);
        const told = await description.check('/api/jobs/{id}', 'GET', response);
        ({ state } = JSON.parse(told.toString()) as { state: string });
        assert.ok(['queued', 'running', wanted].includes(state), state);
      }
      return `${path}?result`;
    }

    it('is all where there is no model, but a job, which waits until there is one', async () => {
      await deploy({ 'm2fp-model': { source: 'folder', folder: '/nowhere/model' } });
      for (const path of ['/api/parse', '/upload']) {
        assert.equal((await refused(post(path), 503))['code'], 'M2FP_MODEL_NOT_FOUND');
      }
      for (const path of ['/ready', '/health']) {
        const response = await fetch(`${nodeRed.url}/m2fp${path}`);
        assert.equal(response.status, 503);
        await description.check(path, 'GET', response);
      }
      await jobOf(picture, 'done', () => deploy({}));
    });

    it('is the result of a job that came to nothing', async () => {
      await deploy({});
      const result = await jobOf(picture.subarray(0, picture.length >> 1), 'failed');
      const told = await refused(['GET', '/api/jobs/{id}', result], 410);
      assert.equal(told['code'], 'M2FP_BAD_IMAGE');
    });

    it('is the owner to mend where a form is wrong', async () => {
      await deploy({ 'm2fp-request': { allowed: 'flop' } });
      for (const route of ROUTES) assert.equal((await refused(route, 500))['code'], 'INTERNAL');
      const response = await fetch(`${nodeRed.url}/m2fp/ready`);
      const ready = (await description.check('/ready', 'GET', response)).toString();
      assert.deepEqual([response.status, ready.includes('"node-misconfigured"')], [503, true]);
    });

    it('is each job where none can be kept', async () => {
      const folder = join(nodeRed.userDir, 'm2fp', 'jobs');
      rmSync(folder, { recursive: true });
      writeFileSync(folder, 'no folder');
      await deploy({});
      for (const route of ROUTES.slice(2)) {
        const [status, code] =
          route[0] === 'POST' ? [507, 'M2FP_NOT_KEPT'] : [503, 'M2FP_ENGINE_UNAVAILABLE'];
        assert.equal((await refused(route, status))['code'], code);
      }
      const response = await fetch(`${nodeRed.url}/m2fp/ready`);
      const ready = (await description.check('/ready', 'GET', response)).toString();
      assert.deepEqual([response.status, ready.includes('"jobs-folder"')], [503, true]);
    });

    it('is what was on its way when it was deployed', async () => {
      const asked = request(`${nodeRed.url}/m2fp/api/parse`, {
        method: 'POST',
        headers: { 'content-length': 1000, 'content-type': 'image/png' },
      });
      asked.write('a few bytes');
      const answered = once(asked, 'response');
      // Until it has come to the node.
      await pause(500);
      await deploy({});
      const [response] = (await answered) as [import('node:http').IncomingMessage];
      const { statusCode: status, headers } = response;
      assert.equal(status, 499);
      assert.equal(headers['retry-after'], '1');
      const body = Buffer.from(await text(response));
      description.checkAnswer('/api/parse', 'POST', { status, type: headers['content-type']!, body });
      asked.destroy();
    });
  });
});
