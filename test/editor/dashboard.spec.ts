/** The example for Dashboard 2, with that dashboard, in a real browser. */
import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { BrowserContext, Page } from 'playwright-core';
import sharp from 'sharp';
import { installedFromRegistry, root } from '../support/installed-package.ts';
import { example, NodeRed } from '../support/node-red.ts';
import { twoPeople } from '../support/images.ts';
import { launch } from './editor.ts';

const EXAMPLE = 'Dashboard 2 page (needs @flowfuse node-red-dashboard)';
const FLOW = example(EXAMPLE);
const PHONE = { width: 390, height: 844 };
const SCREENSHOTS = join(root, 'coverage', 'screenshots');

/** The version that Node-RED offers to install with the example. */
function dashboard(): string {
  const { modules } = FLOW.find(({ type }) => type === 'global-config') as unknown as {
    modules: Record<string, string>;
  };
  const [[name, version] = []] = Object.entries(modules);
  assert.match(version ?? '', /^\d+\.\d+\.\d+$/);
  return `${name}@${version}`;
}

/** How far the pixels of the overlay that differ from the sample are those of its people: intersection over union. */
async function agreement(overlay: Buffer): Promise<number> {
  const { width, height } = await sharp(twoPeople).metadata();
  const top = { left: 0, top: 0, width, height };
  // Below it comes the legend.
  const shown = await sharp(overlay).extract(top).removeAlpha().raw().toBuffer();
  const sample = await sharp(twoPeople).removeAlpha().raw().toBuffer();
  const labels = await sharp(join(root, 'models/demo/samples/two-people.labels.png'))
    .extractChannel(0)
    .raw()
    .toBuffer();
  let both = 0;
  let either = 0;
  for (const [pixel, label] of labels.entries()) {
    const painted = [0, 1, 2].some((channel) => shown[3 * pixel + channel] !== sample[3 * pixel + channel]);
    both += Number(painted && label !== 0);
    either += Number(painted || label !== 0);
  }
  return both / either;
}

describe('the example for Dashboard 2', function () {
  this.timeout(120_000);
  let nodeRed: NodeRed;
  let context: BrowserContext;
  let page: Page;
  /** Errors of the page, and requests to elsewhere. */
  const complaints: string[] = [];

  before(async () => {
    nodeRed = await NodeRed.start('node-red', FLOW, { nodesDir: installedFromRegistry(dashboard()) });
  });
  after(() => nodeRed?.stop());
  beforeEach(async () => {
    context = await (await launch()).newContext({ viewport: { width: 1280, height: 900 }, locale: 'en-US' });
    context.setDefaultTimeout(20_000);
    context.on('request', (request) => {
      if (!request.url().startsWith(nodeRed.url) && !/^(data|blob):/.test(request.url()))
        complaints.push(`request: ${request.url()}`);
    });
    page = await open();
    // Its service worker has then asked for all that it keeps.
    await page.getByText('App is offline ready').waitFor();
    await page.getByRole('button', { name: 'Close' }).click();
  });
  afterEach(async () => {
    await context.close();
    assert.deepEqual(complaints.splice(0), []);
  });

  /** The page as one more user sees it. */
  async function open(): Promise<Page> {
    const opened = await context.newPage();
    opened.on('pageerror', ({ message }) => complaints.push(message));
    opened.on('console', (message) => {
      if (message.type() === 'error') complaints.push(`console: ${message.text()}`);
    });
    await opened.goto(`${nodeRed.url}/dashboard/people`);
    await opened.getByText('Choose a picture.').waitFor();
    return opened;
  }

  async function upload(name: string, mimeType: string, buffer: Buffer, from = page): Promise<void> {
    await from.locator('input[type=file]').setInputFiles({ name, mimeType, buffer });
    await from.getByRole('button', { name: 'Upload' }).click();
  }

  async function screenshot(name: string): Promise<void> {
    mkdirSync(SCREENSHOTS, { recursive: true });
    await page.screenshot({
      path: join(SCREENSHOTS, `dashboard ${name}.png`),
      animations: 'disabled',
      fullPage: true,
    });
  }

  it('shows the parts of an uploaded picture and a table of the people, to nobody else', async () => {
    const other = await open();
    await upload('two-people.png', 'image/png', twoPeople);
    const shown = page.getByRole('img', { name: /its parts in colours, 2 people/ });
    await shown.evaluate((image: HTMLImageElement) => image.decode());
    assert.deepEqual(await page.getByRole('columnheader').allInnerTexts(), [
      'Person · 人物',
      '%',
      'Parts · 部位',
    ]);
    const rows = await page.locator('tbody tr').allInnerTexts();
    assert.equal(rows.length, 2);
    for (const [index, row] of rows.entries())
      assert.match(row, new RegExp(`^${index + 1}\\t[5-9]\\d\\t(?=.*Face)(?=.*Hair)(?=.*Pants)`));
    const { width, height } = await sharp(twoPeople).metadata();
    await page.getByText(new RegExp(`^${width} × ${height} · \\d+\\.\\d\\d s$`)).waitFor();
    const painted = await agreement(Buffer.from((await shown.getAttribute('src'))!.split(',')[1]!, 'base64'));
    assert.ok(painted > 0.7, `${painted}`);
    await screenshot('result');
    await page.setViewportSize(PHONE);
    await screenshot('result on a phone');
    assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), PHONE.width);

    // The answer to a message of its own comes after what it would have got before.
    await upload('notes.txt', 'text/plain', Buffer.from('a text'), other);
    await other.getByText('Unsupported format').waitFor();
    assert.equal(await other.getByRole('img', { name: /its parts/ }).count(), 0);
    assert.equal(await page.getByText('Unsupported format').count(), 0);
  });

  it('says what is wrong with a file that is no picture', async () => {
    await upload('notes.txt', 'text/plain', Buffer.from('a text'));
    await page.getByText(/^Unsupported format: .*Supported are JPEG, PNG/).waitFor();
    await screenshot('error');
  });
});
