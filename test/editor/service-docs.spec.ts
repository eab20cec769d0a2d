/** The page that describes the HTTP API, behind a proxy with a prefix and a policy of its own, in a real browser. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer, request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { BrowserContextOptions, Locator, Page, Response } from 'playwright-core';
import { root, temporaryFolder } from '../support/installed-package.ts';
import { example, NodeRed } from '../support/node-red.ts';
import { twoPeople } from '../support/images.ts';
import { launch } from './editor.ts';

const SCREENSHOTS = join(root, 'coverage', 'screenshots');
const PREFIX = '/people/v1';
/** Without `data:`, which the viewer's symbols are: it does without them. */
const STRICT =
  "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' blob:; object-src 'none'";

describe('the pages of the parsing service behind a proxy', function () {
  // The viewer takes its time where a browser has to share a processor.
  this.timeout(400_000);
  let nodeRed: NodeRed;
  let proxy: Server;
  let url: string;
  let complaints: string[] = [];

  before(async () => {
    nodeRed = await NodeRed.start('node-red', example('4 Parsing service'));
    const { port } = new URL(nodeRed.url);
    proxy = createServer((asked, answer) => {
      if (!asked.url!.startsWith(`${PREFIX}/`)) {
        answer.writeHead(404).end();
        return;
      }
      const path = `/m2fp${asked.url!.slice(PREFIX.length)}`;
      const { method, headers } = asked;
      const onward = request({ host: '127.0.0.1', port, path, method, headers }, (got) => {
        answer.writeHead(got.statusCode!, { ...got.headers, 'content-security-policy': STRICT });
        got.pipe(answer);
      });
      asked.pipe(onward);
    }).listen(0, '127.0.0.1');
    await once(proxy, 'listening');
    url = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
  });
  after(async () => {
    proxy?.close();
    await nodeRed?.stop();
  });
  afterEach(() => assert.deepEqual(complaints.splice(0), []));

  async function show(path: string, options: BrowserContextOptions = {}): Promise<Page> {
    const context = await (await launch()).newContext({ locale: 'en-US', ...options });
    context.setDefaultTimeout(40_000);
    const page = await context.newPage();
    complaints = [];
    page.on('pageerror', ({ message }) => complaints.push(message));
    page.on('console', (message) => {
      const text = message.text();
      if (message.type() === 'error' && !text.includes("the image 'data:image/svg+xml"))
        complaints.push(text);
    });
    page.on('request', (asked) => {
      const isHere = asked.url().startsWith(`${url}${PREFIX}/`) || /^(data|blob):/.test(asked.url());
      if (!isHere) complaints.push(`request: ${asked.url()}`);
    });
    await page.goto(`${url}${PREFIX}${path}`);
    return page;
  }
  const screenshot = async (page: Page, name: string): Promise<void> => {
    mkdirSync(SCREENSHOTS, { recursive: true });
    await page.screenshot({ path: join(SCREENSHOTS, `service ${name}.png`), fullPage: true });
  };

  it('show what there is, and try it out', async () => {
    const page = await show('/docs/');
    assert.equal(new URL(page.url()).pathname, `${PREFIX}/docs`);
    await page.locator('.opblock').first().waitFor();
    assert.equal(await page.locator('.opblock').count(), 13);
    await screenshot(page, 'docs');
    await page.locator('#operations-State-ready .opblock-summary-control').click();
    await page.getByRole('button', { name: 'Execute' }).click();
    const status = page.locator('.live-responses-table .response-col_status');
    await status.filter({ hasText: '200' }).first().waitFor();
    assert.match(
      await page.locator('.live-responses-table .response-col_description').last().innerText(),
      /"ready": true/,
    );
    await page.context().close();
  });

  /** The viewer makes a form anew while its fields get what they begin with, and then has no file: it is chosen again. */
  async function executed(page: Page, block: Locator, picture?: string): Promise<Response> {
    for (;;) {
      if (picture !== undefined) await block.locator('input[type=file]').setInputFiles(picture);
      const isAnswer = (response: Response) => response.request().resourceType() === 'fetch';
      const answered = page.waitForResponse(isAnswer, { timeout: 15_000 }).catch(() => undefined);
      await block.getByRole('button', { name: 'Execute' }).click();
      const response = await answered;
      if (response) return response;
    }
  }

  it('send what is taken, as they open and with nothing but a file chosen: each operation, each kind of body', async () => {
    const page = await show('/docs');
    await page.locator('.opblock').first().waitFor();
    const operations = await page.locator('.opblock').evaluateAll((blocks) => blocks.map(({ id }) => id));
    const picture = join(temporaryFolder('docs'), 'a.png');
    writeFileSync(picture, twoPeople);
    const told: string[] = [];
    let job = '';
    for (const operation of operations) {
      const block = page.locator(`#${operation}`);
      await block.locator('.opblock-summary-control').click();
      await block.getByRole('button', { name: 'Execute' }).waitFor();
      const id = block.locator('tr[data-param-name=id] input');
      if ((await id.count()) > 0) await id.fill(job);
      const kindList = block.locator('.opblock-section-request-body select.content-type');
      const isPost = (await block.locator('.opblock-summary-post').count()) > 0;
      if (isPost) await kindList.waitFor();
      // Each kind of body with the first one, which stands for all.
      const kinds = told.length === 0 ? await kindList.locator('option').allInnerTexts() : [];
      for (const kind of kinds.length > 0 ? kinds : ['']) {
        if (kind !== '' && (await kindList.inputValue()) !== kind) await kindList.selectOption(kind);
        const response = await executed(page, block, isPost && !kind.endsWith('json') ? picture : undefined);
        told.push(`${operation.split('-')[2]!} ${kind} ${response.status()}`);
        if (operation.endsWith('createJob')) ({ id: job } = (await response.json()) as { id: string });
        if (operation.endsWith('-upload'))
          assert.equal((await response.allHeaders())['content-type'], 'image/png');
      }
      await block.locator('.opblock-summary-control').click();
    }
    const kinds = ['multipart/form-data', 'application/json', 'image/*', 'application/octet-stream'];
    assert.deepEqual(told, [
      ...kinds.map((kind) => `parse ${kind} 200`),
      'upload  200',
      'createJob  202',
      'job  200',
      // It may be done by now, and is forgotten then.
      `cancelJob  ${told.find((line) => line.startsWith('cancelJob'))?.endsWith('204') ? 204 : 200}`,
      ...['live', 'ready', 'health', 'metrics', 'page', 'docs', 'openapi', 'file'].map(
        (name) => `${name}  200`,
      ),
    ]);
    await screenshot(page, 'docs executed');
    await page.context().close();
  });

  it('fit a phone, whatever is open', async () => {
    const width = 390;
    const page = await show('/docs', { viewport: { width, height: 844 }, hasTouch: true, isMobile: true });
    await page.locator('.opblock').first().waitFor();
    // The window of a phone grows with what is too wide for it.
    const widthOf = () => page.evaluate(() => document.documentElement.scrollWidth);
    assert.equal(await widthOf(), width);
    await screenshot(page, 'docs phone');
    for (const operation of ['Pictures-parse', 'Jobs-job']) {
      const block = page.locator(`#operations-${operation}`);
      await block.locator('.opblock-summary-control').click();
      await block.locator('.responses-table').waitFor();
    }
    assert.equal(await widthOf(), width);
    await page.screenshot({ path: join(SCREENSHOTS, 'service docs phone, open.png') });
    await page.context().close();
  });

  it('parse a picture, and a sample', async () => {
    const page = await show('/');
    await page.locator('#file').setInputFiles({ name: 'a.png', mimeType: 'image/png', buffer: twoPeople });
    await page.locator('#message', { hasText: 'Done: 2 people' }).waitFor();
    await page.locator('#message').evaluate((element) => (element.textContent = ''));
    await page.getByRole('button', { name: 'Sample picture: a portrait' }).click();
    await page.locator('#message', { hasText: 'Done: ' }).waitFor();
    assert.ok(
      (await page
        .locator('#samples img')
        .first()
        .evaluate((image: HTMLImageElement) => image.naturalWidth)) >= 200,
    );
    await page.getByRole('link', { name: 'The HTTP API behind this page' }).click();
    await page.locator('.opblock').first().waitFor();
    await page.context().close();
  });
});
