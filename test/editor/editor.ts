/** The editor of a Node-RED in a real browser. */
import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { type Browser, chromium, type Page } from 'playwright-core';
import { root } from '../support/installed-package.ts';
import { requireProgram } from '../support/programs.ts';

const SCREENSHOTS = join(root, 'coverage', 'screenshots');

/** Keeps chromium from asking for anything outside of this machine. */
const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1',
];

export class Editor {
  readonly page: Page;
  /** What no page should have: errors, warnings of missing texts, requests to elsewhere. */
  readonly complaints: string[] = [];
  readonly #browser: Browser;

  private constructor(browser: Browser, page: Page, url: string) {
    this.#browser = browser;
    this.page = page;
    page.on('pageerror', (error) => this.complaints.push(`page error: ${error.message}`));
    page.on('console', (message) => {
      if (message.type() === 'error') this.complaints.push(`console: ${message.text()}`);
    });
    page.on('request', (request) => {
      const address = request.url();
      if (!address.startsWith(url) && !/^(data|blob):/.test(address))
        this.complaints.push(`request: ${address}`);
    });
  }

  /** Opens the editor in `language`; resolves when its palette is there. */
  static async open(url: string, language = 'en-US'): Promise<Editor> {
    const executablePath = requireProgram('chromium', 'chromium');
    const browser = await chromium.launch({ executablePath, headless: true, args: FLAGS });
    const context = await browser.newContext({ locale: language, viewport: { width: 1500, height: 900 } });
    const page = await context.newPage();
    const editor = new Editor(browser, page, url);
    await page.goto(url);
    await page.waitForSelector('#red-ui-palette .red-ui-palette-node');
    await page.waitForFunction(() => RED.nodes.getType('m2fp-crop') !== null);
    return editor;
  }

  async close(): Promise<void> {
    await this.#browser.close();
  }

  async invoke(action: string): Promise<void> {
    await this.page.evaluate((name) => RED.actions.invoke(name), action);
  }

  /** Import > Examples > our package > `name`, as a user does it; gives the id of the new tab. */
  async importExample(name: string): Promise<string> {
    const { page } = this;
    const before = await this.tabs();
    await this.invoke('core:show-examples-import-dialog');
    const label = (text: string) =>
      page.locator('#red-ui-clipboard-dialog-import-tab-examples .red-ui-treeList-label', { hasText: text });
    await label('@m2fp/node-red-human-parsing').first().click();
    await label(name).last().click();
    await page.locator('#red-ui-clipboard-dialog-ok').click();
    let tab: string | undefined;
    while (tab === undefined) tab = (await this.tabs()).find((id) => !before.includes(id));
    await this.showTab(tab);
    return tab;
  }

  /** The ids of all tabs. */
  tabs(): Promise<string[]> {
    return this.page.evaluate(() =>
      RED.nodes.createCompleteNodeSet().flatMap(({ type, id }) => (type === 'tab' ? [id] : [])),
    );
  }

  async showTab(id: string): Promise<void> {
    await this.page.evaluate((tab) => RED.workspaces.show(tab), id);
  }

  async deploy(): Promise<void> {
    await this.page.locator('#red-ui-header-button-deploy').click();
    await this.page.waitForFunction(() => !RED.nodes.dirty());
  }

  /** The id of the node of `type` on the tab `tab`. */
  async nodeOn(tab: string, type: string): Promise<string> {
    const [node] = await this.page.evaluate(
      ([z, wanted]) => RED.nodes.filterNodes({ z, type: wanted }).map(({ id }) => id),
      [tab, type],
    );
    assert.ok(node, `${type} on the tab`);
    return node;
  }

  /** Opens the form of a node, checks it with `look`, saves it. */
  async editNode(id: string, look: (page: Page) => Promise<void>): Promise<void> {
    const { page } = this;
    await page.locator(`[id="${id}"] .red-ui-flow-node`).dblclick();
    await page.waitForSelector('#node-dialog-ok');
    await look(page);
    await page.locator('#node-dialog-ok').click();
    await page.waitForSelector('#node-dialog-ok', { state: 'detached' });
  }

  /** Resolves when the node shows a status of the colour. */
  async statusOf(id: string, fill: string): Promise<void> {
    await this.page.waitForFunction(([node, wanted]) => RED.nodes.node(node)?.status?.fill === wanted, [
      id,
      fill,
    ] as const);
  }

  /** Into coverage/screenshots, which git ignores. */
  async screenshot(name: string, page: Page = this.page): Promise<void> {
    mkdirSync(SCREENSHOTS, { recursive: true });
    await page.screenshot({
      path: join(SCREENSHOTS, `${name}.png`),
      style: '#red-ui-notifications { visibility: hidden; }',
    });
  }
}
