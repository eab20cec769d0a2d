/** The page of the example "4 Parsing service", in a real browser. */
import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { BrowserContextOptions, Page } from 'playwright-core';
import sharp from 'sharp';
import type { ParsingSummary } from '../../src/parsing/summary.ts';
import { root, temporaryFolder } from '../support/installed-package.ts';
import { example, NodeRed, VERSIONS } from '../support/node-red.ts';
import { twoPeople } from '../support/images.ts';
import { launch } from './editor.ts';
import { blemishes, unreachable } from './inspect.ts';

const SCREENSHOTS = join(root, 'coverage', 'screenshots');
const DESKTOP = { width: 1280, height: 900 };
const PHONE = { width: 390, height: 844 };

/** CIHP's number. */
const PANTS = 9;

/** The middle of a run of pixels that are truly of the label, as shares of the width and the height of the sample. */
async function middleOf(label: number): Promise<[number, number]> {
  const { data, info } = await sharp(join(root, 'models/demo/samples/two-people.labels.png'))
    .extractChannel(0)
    .raw()
    .toBuffer({ resolveWithObject: true });
  const own = [...data.keys()].filter((index) => data[index] === label);
  const row = Math.floor(own[own.length >> 1]! / info.width);
  const columns = own
    .filter((index) => Math.floor(index / info.width) === row)
    .map((index) => index % info.width);
  const start = columns[0]!;
  const length = columns.findIndex((column, index) => column !== start + index);
  const middle = start + (length < 0 ? columns.length : length) / 2;
  return [middle / info.width, row / info.height];
}

/** The button's words, by the browser's language. */
const CHOOSE = { 'en-US': 'Choose a picture', 'zh-CN': '选择图片' };

interface Shown {
  page: Page;
  /** Errors of the page, and requests to elsewhere. */
  complaints: string[];
  close(): Promise<void>;
}

for (const version of VERSIONS) {
  describe(`the page of the parsing service (${version})`, function () {
    this.timeout(60_000);
    let nodeRed: NodeRed;
    const folder = temporaryFolder('web-page');
    const image = join(folder, 'two-people.png');
    const open: Shown[] = [];

    before(async () => {
      writeFileSync(image, twoPeople);
      nodeRed = await NodeRed.start(version, example('4 Parsing service'));
    });
    after(() => nodeRed?.stop());
    afterEach(async () => {
      const complaints = open.flatMap((shown) => shown.complaints);
      await Promise.all(open.splice(0).map((shown) => shown.close()));
      assert.deepEqual(complaints, []);
    });

    async function show(options: BrowserContextOptions = {}, prepare?: (page: Page) => Promise<unknown>) {
      const context = await (await launch()).newContext({ viewport: DESKTOP, locale: 'en-US', ...options });
      context.setDefaultTimeout(20_000);
      const page = await context.newPage();
      const complaints: string[] = [];
      page.on('pageerror', ({ message }) => complaints.push(message));
      page.on('request', (request) => {
        if (!request.url().startsWith(nodeRed.url) && !/^(data|blob):/.test(request.url()))
          complaints.push(`request: ${request.url()}`);
      });
      open.push({ page, complaints, close: () => context.close() });
      await prepare?.(page);
      await page.goto(`${nodeRed.url}/m2fp/`);
      return page;
    }
    const done = (page: Page) => page.locator('#message', { hasText: /Done|完成/ }).waitFor();
    const failed = async (page: Page) => {
      await page.waitForFunction(() => document.querySelector('#error')?.textContent !== '');
      return page.locator('#error').innerText();
    };
    async function upload(page: Page): Promise<void> {
      await page.locator('#file').setInputFiles(image);
      await done(page);
    }
    /** The picture as it is shown, in little: the mean colour is enough to see a change. */
    const lookOf = (page: Page) =>
      page.locator('canvas').evaluate((canvas: HTMLCanvasElement) => {
        const { data } = canvas.getContext('2d')!.getImageData(0, 0, canvas.width, canvas.height);
        const sum = [0, 0, 0];
        data.forEach((value, index) => index % 4 < 3 && (sum[index % 4]! += value));
        return sum.map((value) => Math.round((1000 * value) / data.length));
      });
    const setBlend = (page: Page, value: string) => page.locator('#blend').fill(value);
    async function screenshot(page: Page, name: string): Promise<void> {
      mkdirSync(SCREENSHOTS, { recursive: true });
      await page.screenshot({ path: join(SCREENSHOTS, `${version} web page ${name}.png`), fullPage: true });
    }

    it('shows the parts of an uploaded picture, by name, person, time and as JSON', async () => {
      const page = await show();
      await page.getByText('Choose a picture', { exact: true }).waitFor();
      await upload(page);
      const summary = JSON.parse((await page.locator('#json').textContent())!) as ParsingSummary;
      const { width, height } = await sharp(twoPeople).metadata();
      assert.deepEqual([summary.width, summary.height], [width, height]);
      const names = await page.locator('#legend .name').allInnerTexts();
      for (const name of ['Face', 'Hair', 'Pants', 'Upper clothes'])
        assert.ok(names.includes(name), names.join());
      // Parts of nobody have a line of their own.
      const lines = summary.persons.length + Number(summary.parts.some(({ person }) => person === null));
      assert.equal(await page.locator('#people li').count(), lines);
      assert.match(await page.locator('#times').innerText(), /Model\s+\d+ ms/);
      assert.match((await page.locator('canvas').getAttribute('aria-label')) ?? '', /2 people.*Hair/s);
      await screenshot(page, 'desktop');
    });

    it('goes from the original to the parts, and hides what is not ticked', async () => {
      const page = await show();
      await upload(page);
      await setBlend(page, '0');
      const original = await lookOf(page);
      await page.getByRole('button', { name: 'None' }).click();
      await setBlend(page, '100');
      assert.deepEqual(await lookOf(page), original, 'nothing is painted');
      await page.getByRole('checkbox', { name: 'Pants' }).check();
      const pants = await lookOf(page);
      assert.notDeepEqual(pants, original);
      await page.getByRole('button', { name: 'All' }).click();
      assert.notDeepEqual(await lookOf(page), pants);
    });

    it('has pictures to try it with', async () => {
      const page = await show();
      const samples = page.locator('#samples img');
      assert.equal(await samples.count(), 4);
      const sizes = await samples.evaluateAll((images) =>
        (images as HTMLImageElement[]).map(({ naturalWidth }) => naturalWidth),
      );
      assert.ok(
        sizes.every((size) => size >= 200),
        sizes.join(),
      );
      await page.getByRole('button', { name: 'Sample picture: two people' }).click();
      await done(page);
      assert.match(await page.locator('#message').innerText(), /2 people/);
    });

    it('shows the picture by person, too', async () => {
      const page = await show();
      await upload(page);
      await setBlend(page, '100');
      const parts = await lookOf(page);
      const { persons } = JSON.parse((await page.locator('#json').textContent())!) as ParsingSummary;
      await page.getByRole('button', { name: 'by person' }).click();
      const names = await page.locator('#legend .name').allInnerTexts();
      assert.deepEqual(
        names.filter((name) => name !== 'No person'),
        persons.map(({ id }) => `Person ${id}`),
      );
      const people = await lookOf(page);
      assert.notDeepEqual(people, parts);
      await page.getByRole('checkbox', { name: 'Person 1' }).uncheck();
      assert.notDeepEqual(await lookOf(page), people);
      await page.getByRole('button', { name: 'by part' }).click();
      assert.deepEqual(await lookOf(page), parts);
    });

    it('saves what is shown as PNG in the size of the picture', async () => {
      const page = await show();
      await upload(page);
      await setBlend(page, '100');
      const [download] = await Promise.all([
        page.waitForEvent('download'),
        page.getByRole('button', { name: 'Save as PNG' }).click(),
      ]);
      assert.equal(download.suggestedFilename(), 'two-people-parts.png');
      const saved = sharp(await readFile(await download.path()));
      const { format, width, height } = await saved.metadata();
      const original = await sharp(twoPeople).metadata();
      assert.deepEqual([format, width, height], ['png', original.width, original.height]);
    });

    it('says of what is hardly there that it is little, not that it is nothing', async () => {
      const page = await show();
      const form = new FormData();
      form.append('picture', new Blob([new Uint8Array(twoPeople)]), 'picture.png');
      const address = '/m2fp/api/parse?view=labels&picture=true&masks=rle';
      const response = await nodeRed.post(address, { body: form });
      const answer = (await response.json()) as { picture: { data: string } };
      const { width, height } = await sharp(Buffer.from(answer.picture.data, 'base64')).metadata();
      const labels = Buffer.alloc(width * height)
        .fill(1, 0, 30)
        .fill(2, 1000, 2000);
      const map = sharp(labels, { raw: { width, height, channels: 1 } }).toColorspace('b-w');
      answer.picture.data = (await map.png().toBuffer()).toString('base64');
      await page.route('**/m2fp/api/parse*', (route) => route.fulfill({ json: answer }));
      await upload(page);
      assert.deepEqual(await page.locator('#legend .share').allInnerTexts(), ['0.5 %', '<0.1 %']);
      await page.unroute('**/m2fp/api/parse*');
    });

    it('names what is under the pointer', async () => {
      const page = await show();
      await upload(page);
      const box = (await page.locator('canvas').boundingBox())!;
      const over = (x: number, y: number) => page.mouse.move(box.x + x * box.width, box.y + y * box.height);
      const [x, y] = await middleOf(PANTS);
      await over(x, y);
      assert.match(await page.locator('#under').innerText(), /^Person \d · Pants$/);
      await over(0.99, 0.99);
      assert.ok(await page.locator('#under').isHidden(), 'the background has no name');
    });

    it('takes a picture that is dropped, and one that is pasted', async () => {
      const page = await show();
      for (const kind of ['drop', 'paste']) {
        await page.evaluate(
          async ([type, base64]) => {
            const blob = await (async () => {
              const bytes = Uint8Array.from(atob(base64!), (char) => char.charCodeAt(0));
              return new File([bytes], 'picture.png', { type: 'image/png' });
            })();
            const transfer = new DataTransfer();
            transfer.items.add(blob);
            const event =
              type === 'drop'
                ? new DragEvent('drop', { dataTransfer: transfer, bubbles: true, cancelable: true })
                : new ClipboardEvent('paste', { clipboardData: transfer, bubbles: true });
            document.querySelector('#message')!.textContent = '';
            document.body.dispatchEvent(event);
          },
          [kind, twoPeople.toString('base64')],
        );
        await done(page);
      }
    });

    it('takes a picture with the camera, and lets go of it', async () => {
      const page = await show({}, (at) =>
        at.addInitScript(() => {
          const canvas = document.createElement('canvas');
          Object.assign(canvas, { width: 320, height: 240 });
          const context = canvas.getContext('2d')!;
          context.fillStyle = '#c8c8c8';
          const paint = () => context.fillRect(0, 0, canvas.width, canvas.height);
          paint();
          const stream = canvas.captureStream(10);
          // A canvas that does not change sends no frames.
          setInterval(paint, 50);
          Object.assign(globalThis, { stream });
          navigator.mediaDevices.getUserMedia = () => Promise.resolve(stream);
        }),
      );
      await page.getByRole('button', { name: 'Camera' }).click();
      await page.waitForFunction(() => document.querySelector('video')!.videoWidth === 320);
      await page.getByRole('button', { name: 'Take the picture' }).click();
      await done(page);
      assert.match(await page.locator('#message').innerText(), /nobody found/);
      assert.ok(await page.locator('#live').isHidden());
      const states = await page.evaluate(() =>
        (globalThis as unknown as { stream: MediaStream }).stream
          .getTracks()
          .map(({ readyState }) => readyState),
      );
      assert.deepEqual(states, ['ended']);
    });

    it('says why there is no camera', async () => {
      const insecure = await show({}, (page) =>
        page.addInitScript(() => Object.defineProperty(navigator, 'mediaDevices', { value: undefined })),
      );
      await insecure.getByRole('button', { name: 'Camera' }).click();
      assert.match(await failed(insecure), /https.*localhost/);
      const denied = await show({}, (page) =>
        page.addInitScript(() => {
          navigator.mediaDevices.getUserMedia = () =>
            Promise.reject(new DOMException('Permission denied', 'NotAllowedError'));
        }),
      );
      await denied.getByRole('button', { name: 'Camera' }).click();
      assert.match(await failed(denied), /allow it/);
    });

    it('puts errors into words, and leaves no result of another picture beside them', async () => {
      const page = await show();
      const isShown = () => page.locator('#result').isVisible();
      await upload(page);
      assert.ok(await isShown());
      await page.locator('#file').setInputFiles({
        name: 'notes.txt',
        mimeType: 'text/plain',
        buffer: Buffer.from('a text'),
      });
      assert.match(await failed(page), /cannot read that as a picture/);
      assert.ok(!(await isShown()));
      const answers: [{ status: number; body: string }, RegExp][] = [
        [{ status: 429, body: '{"code":"M2FP_BUSY","detail":"The queue is full."}' }, /The queue is full\./],
        [{ status: 413, body: '{"code":"M2FP_IMAGE_TOO_LARGE","detail":"At most 9 MB."}' }, /At most 9 MB\./],
        [{ status: 500, body: '{"code":"INTERNAL","detail":"Something new."}' }, /Something new\./],
        [{ status: 413, body: '<html>' }, /choose a smaller one\. \(413\)/],
        [{ status: 429, body: '{"message":"API rate limit exceeded"}' }, /Try again later\. \(429\)/],
        [{ status: 403, body: '<html>' }, /log in there.* \(403\)/],
        [{ status: 502, body: '<html>' }, /gets no answer.* \(502\)/],
        [{ status: 404, body: '<html>' }, /is its flow deployed.* \(404\)/],
        [{ status: 200, body: '<html>' }, /no answer of the parsing service.* \(200\)/],
      ];
      for (const [answer, words] of answers) {
        await upload(page);
        assert.ok(await isShown());
        await page.route('**/m2fp/api/parse*', (route) => route.fulfill(answer));
        await page.locator('#error').evaluate((element) => (element.textContent = ''));
        await page.locator('#file').setInputFiles(image);
        assert.match(await failed(page), words);
        assert.ok(!(await isShown()));
        await page.unroute('**/m2fp/api/parse*');
      }
      await page.route('**/m2fp/api/parse*', (route) => route.abort());
      await page.locator('#error').evaluate((element) => (element.textContent = ''));
      await page.locator('#file').setInputFiles(image);
      assert.match(await failed(page), /does not answer/);
    });

    it('says the same in Chinese, and when to try again', async () => {
      const page = await show({ locale: 'zh-CN' });
      const answers: [{ status: number; body: string }, RegExp][] = [
        [{ status: 429, body: '{"code":"M2FP_BUSY","detail":"Wait.","retryAfter":9}' }, /请在 9 秒后重试/],
        [{ status: 413, body: '<html>' }, /请选择较小的图片/],
      ];
      for (const [answer, words] of answers) {
        await page.route('**/m2fp/api/parse*', (route) => route.fulfill(answer));
        await page.locator('#error').evaluate((element) => (element.textContent = ''));
        await page.locator('#file').setInputFiles(image);
        const said = await failed(page);
        assert.match(said, words);
        assert.doesNotMatch(said.replaceAll('Node-RED', ''), /[a-z]{3}/);
        await page.unroute('**/m2fp/api/parse*');
      }
    });

    it('asks for an API key, says what is wrong with one, and tries the same picture again', async () => {
      const page = await show();
      await page.route('**/m2fp/api/parse*', (route) =>
        route.request().headers()['x-api-key'] === 'right'
          ? route.continue()
          : route.fulfill({ status: 401, body: '{"code":"M2FP_UNAUTHORIZED","detail":"No."}' }),
      );
      const key = page.getByLabel('API key:');
      const error = page.locator('#error');
      await page.locator('#file').setInputFiles(image);
      await error.filter({ hasText: 'asks for an API key' }).waitFor();
      await key.fill('wrong');
      await key.press('Enter');
      await error.filter({ hasText: 'no API key of this service' }).waitFor();
      for (const impossible of ['schlüssel😀', 'schl\u00fcssel', 'two words']) {
        await key.fill(impossible);
        await page.getByRole('button', { name: 'Try again' }).click();
        await error.filter({ hasText: 'a character that no key has' }).waitFor();
        await error.evaluate((element) => (element.textContent = ''));
      }
      await screenshot(page, 'key');
      await key.fill('right');
      await key.press('Enter');
      await done(page);
      assert.equal(await error.textContent(), '');
      assert.ok(await page.locator('#result').isVisible());
      assert.ok(await key.isHidden());
    });

    for (const [name, options] of Object.entries({
      'phone dark': { viewport: PHONE, colorScheme: 'dark', hasTouch: true, isMobile: true },
      'phone zh-CN': { viewport: PHONE, locale: 'zh-CN', hasTouch: true, isMobile: true },
      'desktop light': { colorScheme: 'light' },
      'desktop dark': { colorScheme: 'dark' },
    } satisfies Record<string, BrowserContextOptions>)) {
      it(`is readable and reached by the keyboard: ${name}`, async () => {
        const page = await show(options);
        const { locale = 'en-US' } = options as { locale?: keyof typeof CHOOSE };
        await page.getByText(CHOOSE[locale], { exact: true }).waitFor();
        assert.equal(await page.locator('html').getAttribute('lang'), locale === 'zh-CN' ? 'zh-CN' : 'en');
        await upload(page);
        await page.locator('summary').click();
        await screenshot(page, name);
        const body = page.locator('body');
        assert.deepEqual(await blemishes(body), []);
        assert.deepEqual(await unreachable(page, body), []);
        const [width, window] = await page.evaluate(
          () => [document.documentElement.scrollWidth, innerWidth] as const,
        );
        assert.ok(width <= window, `${width} pixels wide`);
      });
    }
  });
}
