import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import sharp from 'sharp';
import { Drawing, inkOn, textWidth } from '../../../src/parsing/colorize/drawing.ts';
import type { Rgb } from '../../../src/parsing/options/palette.ts';
import { pixelsOf } from '../scene.ts';

const WIDTH = 120;
const HEIGHT = 40;
const BLACK: Rgb = [0, 0, 0];

async function render(drawing: Drawing, width = WIDTH, height = HEIGHT): Promise<Buffer> {
  return sharp(drawing.toSvg(width, height)).png().toBuffer();
}

/** The box around what is not transparent; throws where all is. */
async function inkBox(image: Buffer): Promise<{ left: number; top: number; right: number; bottom: number }> {
  const pixels = await pixelsOf(image);
  const { width, height } = pixels;
  const inked: [number, number][] = [];
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) if (pixels.at(x, y)[3]! > 100) inked.push([x, y]);
  }
  assert.ok(inked.length > 0, 'nothing is drawn');
  const [xs, ys] = [inked.map(([x]) => x), inked.map(([, y]) => y)];
  return { left: Math.min(...xs), top: Math.min(...ys), right: Math.max(...xs), bottom: Math.max(...ys) };
}

function written(text: string, size = 20): Drawing {
  const drawing = new Drawing();
  drawing.text(text, 10, 20, size, BLACK);
  return drawing;
}

describe('Drawing', () => {
  for (const size of [12, 20, 28]) {
    it(`writes a text of size ${size} from its x on, as wide as it says, with capitals centred on its y`, async () => {
      const box = await inkBox(await render(written('HXH', size)));
      const width = textWidth('HXH', size);
      assert.ok(box.left >= 10 && box.left <= 10 + size / 5, `${size}: ${box.left}`);
      assert.ok(Math.abs(box.right - (10 + width)) <= size / 5, `${size}: ${box.right}`);
      assert.ok(Math.abs((box.top + box.bottom + 1) / 2 - 20) <= 1, `${size}: ${box.top} to ${box.bottom}`);
      const capital = box.bottom + 1 - box.top;
      assert.ok(Math.abs(capital - 0.71 * size) <= 1.5, `${size}: ${capital} high`);
    });
  }

  it('has an outline for every printable character, no two of them alike', async () => {
    const images = new Map<string, string>();
    for (let code = 33; code < 127; code++) {
      const character = String.fromCharCode(code);
      const image = await render(written(character), 40, 40);
      const hash = createHash('sha256').update(image).digest('hex');
      assert.ok(!images.has(hash), `${character} looks like ${images.get(hash)}`);
      images.set(hash, character);
      await inkBox(image);
    }
    assert.ok(textWidth(' ', 10) > 1);
  });

  const names = ['头发', '上衣', '左臂', '髪', '머리', 'Волосы', 'Μαλλιά', 'chapéu', 'fałda', 'שיער', 'ผม'];
  it('draws each character of the scripts that labels come in as its own', async () => {
    const characters = [...new Set(names.join(''))];
    const looks = await Promise.all(characters.map((one) => render(written(one), 40, 40)));
    const hashes = new Set(looks.map((look) => createHash('sha256').update(look).digest('hex')));
    // о and o, a and а: some letters of different scripts look alike.
    assert.ok(hashes.size >= characters.length - 3, `${hashes.size} of ${characters.length}`);
  });

  for (const text of names) {
    it(`draws ${text} as wide as it says`, async () => {
      const box = await inkBox(await render(written(text)));
      const width = textWidth(text, 20);
      assert.ok(
        Math.abs(box.right - (10 + width)) <= 5 && box.left >= 9,
        `${text}: ${box.left} ${box.right}`,
      );
      assert.ok(box.top >= 8 && box.bottom <= 30, `${text}: ${box.top} to ${box.bottom}`);
    });
  }

  it('has a character for all of Chinese that GB 2312 knows', () => {
    const decoder = new TextDecoder('gb2312');
    const shape = (text: string) => / d="([^"]*)"/.exec(written(text).toSvg(9, 9).toString())![1];
    const unknown = shape('\u{20000}');
    for (let high = 0xb0; high <= 0xf7; high++) {
      for (let low = 0xa1; low <= 0xfe; low++) {
        const character = decoder.decode(Uint8Array.of(high, low));
        if (/^\p{Script=Han}$/u.test(character)) {
          assert.notEqual(shape(character), unknown, character);
          assert.equal(textWidth(character, 16), 16, character);
        }
      }
    }
  });

  it('is as sharp as the pixels of its font: no seams inside a stroke', async () => {
    const drawing = new Drawing();
    drawing.text('一', 0, 20, 37, BLACK);
    const pixels = await pixelsOf(await render(drawing, 40, 40));
    const column = Array.from({ length: 40 }, (_, y) => pixels.at(18, y)[3]!);
    const inked = column.filter((alpha) => alpha > 0);
    assert.ok(inked.length >= 2 && inked.slice(1, -1).every((alpha) => alpha === 255), String(inked));
  });

  it('shows one sign for what it has no shape of, and puts accents on their letters', async () => {
    const sign = await render(written('\u{1f600}'));
    assert.deepEqual(await render(written('\u{20000}')), sign);
    assert.notDeepEqual(sign, await render(written('?')));
    assert.deepEqual(await render(written('e\u0301')), await render(written('\u00e9')));
  });

  it('draws text that looks like markup as text', async () => {
    const svg = written('</g><rect id="x"/>').toSvg(WIDTH, HEIGHT).toString();
    assert.doesNotMatch(svg, /<rect/);
  });

  it('looks the same without any font on the machine', async () => {
    const source = fileURLToPath(new URL('../../../src/parsing/colorize/drawing.ts', import.meta.url));
    const program = `
      import { createHash } from 'node:crypto';
      import sharp from 'sharp';
      import { Drawing } from ${JSON.stringify(source)};
      const drawing = new Drawing();
      drawing.text('Hair 头发 0.95', 10, 20, 20, [0, 0, 0]);
      const pixels = await sharp(drawing.toSvg(${WIDTH}, ${HEIGHT})).raw().toBuffer();
      console.log(createHash('sha256').update(pixels).digest('hex'));`;
    const here = await sharp(written('Hair 头发 0.95').toSvg(WIDTH, HEIGHT)).raw().toBuffer();
    const { stdout } = await promisify(execFile)(
      process.execPath,
      ['--no-warnings', '--input-type=module', '--eval', program],
      { env: { ...process.env, FONTCONFIG_FILE: '/nowhere/fonts.conf', FONTCONFIG_PATH: '/nowhere' } },
    );
    assert.equal(stdout.trim(), createHash('sha256').update(here).digest('hex'));
  }).timeout(30_000);

  it('draws boxes', async () => {
    const drawing = new Drawing();
    assert.equal(drawing.isEmpty, true);
    drawing.rect({ x: 2, y: 3, width: 4, height: 5 }, { fill: [10, 20, 30], opacity: 0.5 });
    assert.equal(drawing.isEmpty, false);
    const pixels = await pixelsOf(await render(drawing));
    // The renderer keeps colours multiplied by the opacity, and rounds.
    [10, 20, 30, 128].forEach((value, channel) =>
      assert.ok(Math.abs(pixels.at(3, 4)[channel]! - value) <= 2, String(pixels.at(3, 4))),
    );
    assert.deepEqual([pixels.at(1, 4)[3], pixels.at(6, 4)[3], pixels.at(3, 8)[3]], [0, 0, 0]);
  });
});

describe('inkOn', () => {
  it('has a contrast of 4.5 : 1 on any colour', () => {
    const linear = (channel: number): number =>
      channel / 255 <= 0.04045 ? channel / 255 / 12.92 : ((channel / 255 + 0.055) / 1.055) ** 2.4;
    const light = ([r, g, b]: Rgb): number =>
      0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b) + 0.05;
    for (let r = 0; r < 256; r += 15) {
      for (let g = 0; g < 256; g += 15) {
        for (let b = 0; b < 256; b += 15) {
          const pair = [light([r, g, b]), light(inkOn([r, g, b]))].toSorted((x, y) => y - x);
          assert.ok(pair[0]! / pair[1]! >= 4.5, `${r}, ${g}, ${b}`);
        }
      }
    }
  });
});
