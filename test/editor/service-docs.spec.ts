/** The page that describes the HTTP API, behind a proxy with a prefix and a policy of its own, in a real browser. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { createServer, request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { BrowserContextOptions, Page } from 'playwright-core';
import { root } from '../support/installed-package.ts';
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
  this.timeout(240_000);
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

  it('begin with values that are taken: what is left open is blank, and JSON is an example', async () => {
    const page = await show('/docs');
    const block = page.locator('#operations-Pictures-parse');
    await block.locator('.opblock-summary-control').click();
    const field = (name: string) =>
      block.locator(`[data-property-name=${name}]`).locator('input, select').first();
    for (const [name, value] of [
      ['format', ''],
      ['labels', ''],
      ['persons', ''],
      ['view', 'overlay'],
      ['grow', 'auto'],
      ['padding', '0'],
    ] as const)
      assert.equal(await field(name).inputValue(), value, name);
    await block.locator('.opblock-section-request-body select.content-type').selectOption('application/json');
    assert.match(await block.locator('textarea').inputValue(), /"image": "data:image\/png;base64,/);
    const answered = page.waitForResponse((response) => response.request().method() === 'POST');
    await block.getByRole('button', { name: 'Execute' }).click();
    assert.equal((await answered).status(), 200);
    await page.context().close();
  });

  for (const operation of ['Pictures-parse', 'Pictures-upload', 'Jobs-createJob']) {
    it(`tell what is missing where no picture was chosen: ${operation}`, async () => {
      const page = await show('/docs');
      const block = page.locator(`#operations-${operation}`);
      await block.locator('.opblock-summary-control').click();
      for (const type of ['multipart/form-data', 'application/octet-stream']) {
        await block.locator('.opblock-section-request-body select.content-type').selectOption(type);
        const answered = page.waitForResponse((response) => response.request().method() === 'POST');
        await block.getByRole('button', { name: 'Execute' }).click();
        assert.equal((await answered).status(), 400);
        const answers = block.locator('.live-responses-table');
        await answers.filter({ hasText: 'The request holds no picture: send it as' }).waitFor();
        await block.getByRole('button', { name: 'Clear' }).click();
      }
      await page.context().close();
      // The browser's own line about the 400.
      complaints = complaints.filter((text) => !text.includes('status of 400'));
    });
  }

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
