/** The editor of a Node-RED in a real browser. */
import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { type Browser, type BrowserContext, chromium, type Locator, type Page } from 'playwright-core';
import { root } from '../support/installed-package.ts';
import { requireProgram } from '../support/programs.ts';

/** Around a picture of some things, pixels. */
const MARGIN = 12;
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

/** One at a time; each editor has a context of its own in it, with nothing in common with the others. */
let browser: Promise<Browser> | undefined;

export function launch(): Promise<Browser> {
  const executablePath = requireProgram('chromium', 'chromium');
  browser ??= chromium.launch({ executablePath, headless: true, args: FLAGS });
  return browser;
}

/** For mocha: where files run at the same time, each one's end is an end of the tests for the process that runs it. */
export const mochaHooks = {
  async afterAll(): Promise<void> {
    const open = browser;
    browser = undefined;
    await (await open)?.close();
  },
};

export interface EditorOptions {
  /** A user's setting of Node-RED 5. */
  theme?: 'light' | 'dark';
  /** Who logs in. */
  user?: { name: string; password: string };
}

interface Clip {
  x: number;
  y: number;
  width: number;
  height: number;
}

export class Editor {
  readonly page: Page;
  /** What no page should have: errors, warnings of missing texts, requests to elsewhere. */
  readonly complaints: string[] = [];
  readonly #context: BrowserContext;

  private constructor(context: BrowserContext, page: Page, url: string) {
    this.#context = context;
    this.page = page;
    page.on('pageerror', (error) => this.complaints.push(`page error: ${error.stack ?? error.message}`));
    page.on('console', (message) => {
      if (message.type() === 'error')
        this.complaints.push(`console: ${message.text()} (${message.location().url})`);
    });
    page.on('request', (request) => {
      const address = request.url();
      if (!address.startsWith(url) && !/^(data|blob):/.test(address))
        this.complaints.push(`request: ${address}`);
    });
  }

  /** Opens the editor in `language`; resolves when its palette and the flows are there. */
  static async open(url: string, language = 'en-US', { theme, user }: EditorOptions = {}): Promise<Editor> {
    const viewport = { width: 1500, height: 900 };
    const context = await (await launch()).newContext({ locale: language, viewport });
    context.setDefaultTimeout(20_000);
    const page = await context.newPage();
    const editor = new Editor(context, page, url);
    if (theme !== undefined)
      await page.addInitScript((value) => localStorage.setItem('view-dark-theme', value), theme);
    await page.goto(url);
    if (user !== undefined) await editor.#logIn(user);
    await editor.#opened();
    return editor;
  }

  async #logIn({ name, password }: NonNullable<EditorOptions['user']>): Promise<void> {
    await this.page.locator('#node-dialog-login-username').fill(name);
    await this.page.locator('#node-dialog-login-password').fill(password);
    await this.page.locator('#node-dialog-login-submit').click();
  }

  async #opened(): Promise<void> {
    await this.page.waitForSelector('#red-ui-palette .red-ui-palette-node');
    // The flows come after the palette.
    await this.page.waitForFunction(
      () => RED.nodes.getType('m2fp-crop') !== null && RED.nodes.version() !== null,
    );
  }

  /** Loads the page anew, as a user does. */
  async reload(): Promise<void> {
    await this.page.reload();
    await this.#opened();
  }

  async close(): Promise<void> {
    await this.#context.close();
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
    await label(name).last().waitFor();
    // The list slides open: a click now may reach its neighbour.
    await page.waitForFunction("jQuery(':animated').length === 0");
    await label(name).last().click();
    await page.locator('#red-ui-clipboard-dialog-ok').click();
    // What the examples share is there already: Node-RED asks, and takes over what is there.
    if (before.length > 1) {
      const copy = page.locator('.red-ui-notification button', { hasText: /Import copy|导入副本/ });
      if (await this.#asks(copy, before.length)) await copy.click();
    }
    let tab: string | undefined;
    while (tab === undefined) tab = (await this.tabs()).find((id) => !before.includes(id));
    await this.showTab(tab);
    return tab;
  }

  /** Whether the import waits for an answer, rather than that it has made its tab. */
  async #asks(question: Locator, tabs: number): Promise<boolean> {
    for (;;) {
      if (await question.isVisible()) return true;
      if ((await this.tabs()).length > tabs) return false;
    }
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

  /** Deploys as a user does; resolves when the nodes run, which is after Node-RED's answer. */
  async deploy(): Promise<void> {
    await this.page.evaluate(() => {
      if (globalThis.runningRevision !== undefined) return;
      globalThis.runningRevision = null;
      RED.comms.subscribe('notification/runtime-deploy', (_topic, { revision }) => {
        globalThis.runningRevision = revision;
      });
    });
    await this.page.locator('#red-ui-header-button-deploy').click();
    await this.page.waitForFunction(
      () => !RED.nodes.dirty() && globalThis.runningRevision === RED.nodes.version(),
    );
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

  /**
   * Opens the form of a node, checks it with `look`, saves it. Not by a double click: Node-RED times it itself, and
   * takes one that falls into a single millisecond, or that a busy machine draws out, for two clicks.
   */
  async editNode(id: string, look: (page: Page) => Promise<void>): Promise<void> {
    const { page } = this;
    await page.evaluate((node) => RED.editor.edit(RED.nodes.node(node)), id);
    await this.#slidIn('#node-dialog-ok');
    await look(page);
    await page.locator('#node-dialog-ok').click();
    await page.waitForSelector('#node-dialog-ok', { state: 'detached' });
  }

  /** The same for a config node. */
  async editConfig(id: string, look: (page: Page) => Promise<void>): Promise<void> {
    const { page } = this;
    await page.evaluate((node) => RED.editor.editConfig('', RED.nodes.node(node)!.type, node), id);
    await this.#slidIn('#node-config-dialog-ok');
    await look(page);
    await page.locator('#node-config-dialog-ok').click();
    await page.waitForSelector('#node-config-dialog-ok', { state: 'detached' });
  }

  /** Resolves when the dialog has slid in: only then the editor puts the focus into it, wherever it was before. */
  async #slidIn(okButton: string): Promise<void> {
    await this.page.waitForSelector(okButton);
    await this.page.waitForFunction((selector) => {
      const dialog = document.querySelector(selector)?.closest('.red-ui-tray');
      return dialog?.querySelector('.red-ui-tray-body')?.contains(document.activeElement) === true;
    }, okButton);
  }

  /** The form that is open. */
  get form(): Locator {
    return this.page.locator('#node-config-dialog-edit-form, #dialog-form').last();
  }

  /** The drawing of a node on the canvas. */
  drawing(id: string): Locator {
    return this.page.locator(`[id="${id}"]`);
  }

  /** Resolves when the node shows a status of the colour. */
  async statusOf(id: string, fill: string): Promise<void> {
    await this.page.waitForFunction(([node, wanted]) => RED.nodes.node(node)?.status?.fill === wanted, [
      id,
      fill,
    ] as const);
  }

  /** A screenshot of some things and what is between them; see {@link screenshot}. */
  async imageOf(name: string, ...things: Locator[]): Promise<void> {
    const boxes = (await Promise.all(things.map((thing) => thing.boundingBox()))).filter(
      (box) => box !== null,
    );
    const x = Math.min(...boxes.map((box) => box.x)) - MARGIN;
    const y = Math.min(...boxes.map((box) => box.y)) - MARGIN;
    const right = Math.max(...boxes.map((box) => box.x + box.width)) + MARGIN;
    const bottom = Math.max(...boxes.map((box) => box.y + box.height)) + MARGIN;
    await this.screenshot(name, this.page, { x, y, width: right - x, height: bottom - y });
  }

  /** Into coverage/screenshots, which git ignores. */
  async screenshot(name: string, page: Page = this.page, clip?: Clip): Promise<void> {
    mkdirSync(SCREENSHOTS, { recursive: true });
    await page.screenshot({
      path: join(SCREENSHOTS, `${name}.png`),
      animations: 'disabled',
      ...(clip && { clip }),
      style: '#red-ui-notifications { visibility: hidden; }',
    });
  }
}
