/** What can be seen of a part of a page: texts and fields, and what is wrong with them. */
import assert from 'node:assert/strict';
import type { Locator, Page } from 'playwright-core';

type Box = readonly [left: number, top: number, right: number, bottom: number];
type Rgb = readonly [red: number, green: number, blue: number];

interface SeenText {
  text: string;
  front: Rgb;
  back: Rgb;
  lines: Box[];
  /** Part of it lies outside of an element that hides what overflows. */
  isCut: boolean;
}

interface SeenField {
  name: string;
  box: Box;
  /** It has a label, or what stands for one. */
  isLabelled: boolean;
}

interface Seen {
  box: Box;
  texts: SeenText[];
  fields: SeenField[];
}

/** The least contrast of text, by WCAG 2 level AA. */
const CONTRAST = 4.5;
/** Without those that the editor puts into each form to catch browsers' passwords. */
const FIELDS = 'input:not([id^="red-ui-trap"]), select, textarea';
/** But the type of a TypedInput that has only one: Node-RED itself leaves it out, for there is nothing to choose. */
const FOCUSABLE = `${FIELDS}, button:not(.red-ui-typedInput-type-select.disabled), summary, a[href]`;
/** Letters may touch by less, pixels. */
const TOUCH = 3;

/** All that is visible below `scope`. */
function look(scope: Locator): Promise<Seen> {
  return scope.evaluate((root, selector) => {
    const boxOf = ({ left, top, right, bottom }: DOMRect): Box => [left, top, right, bottom];
    const isShown = (element: Element): boolean => {
      const { left, top, right, bottom } = element.getBoundingClientRect();
      return element.checkVisibility({ visibilityProperty: true }) && right - left > 1 && bottom - top > 1;
    };
    /** Of "rgb(255, 0, 0)", "rgba(255, 0, 0, 0.5)" and "color(srgb 1 0 0 / 0.5)". */
    const channels = (color: string): number[] => {
      const most = color.startsWith('color(') ? 1 : 255;
      return (color.match(/[\d.]+/g) ?? []).map((part, index) => Number(part) * (index < 3 ? 255 / most : 1));
    };
    const over = (front: number[], back: Rgb): Rgb => {
      const alpha = front[3] ?? 1;
      const mix = (index: 0 | 1 | 2): number => front[index]! * alpha + back[index] * (1 - alpha);
      return [mix(0), mix(1), mix(2)];
    };
    const behind = (element: Element | null): Rgb =>
      element === null
        ? [255, 255, 255]
        : over(channels(getComputedStyle(element).backgroundColor), behind(element.parentElement));
    const isCutOff = (element: Element, [left, , right]: Box): boolean => {
      for (let at: Element | null = element; at !== null && at !== root; at = at.parentElement) {
        const box = at.getBoundingClientRect();
        // What scrolls can be reached.
        if (getComputedStyle(at).overflowX === 'hidden' && (right > box.right + 1 || left < box.left - 1))
          return true;
      }
      return false;
    };
    const texts: SeenText[] = [];
    for (const element of root.querySelectorAll('*')) {
      if (element.tagName === 'OPTION' || !isShown(element)) continue;
      for (const node of element.childNodes) {
        const text = node.textContent?.trim() ?? '';
        if (node.nodeType !== 3 || text === '') continue;
        const range = document.createRange();
        range.selectNodeContents(node);
        const lines = [...range.getClientRects()].map(boxOf);
        const back = behind(element);
        const { color, fill } = getComputedStyle(element);
        const isSvg = element instanceof SVGElement;
        texts.push({
          text,
          front: over(channels(isSvg ? fill : color), back),
          back,
          lines,
          isCut: lines.some((line) => isCutOff(element, line)),
        });
      }
    }
    const fields = [...root.querySelectorAll<HTMLInputElement>(selector)].filter(isShown).map((field) => ({
      name: field.id || field.className || field.tagName,
      box: boxOf(field.getBoundingClientRect()),
      isLabelled:
        (field.labels?.length ?? 0) > 0 ||
        (field.getAttribute('aria-label') ?? '') !== '' ||
        [...document.querySelectorAll(`[id="${field.getAttribute('aria-labelledby') ?? ''}"]`)].some(
          (label) => label.textContent.trim() !== '',
        ),
    }));
    return { box: boxOf(root.getBoundingClientRect()), texts, fields };
  }, FIELDS);
}

/** What is wrong with the look of `scope`, one line for each thing. */
export async function blemishes(scope: Locator): Promise<string[]> {
  const { box, texts, fields } = await look(scope);
  assert.ok(texts.length > 0, 'something to look at');
  const found: string[] = [];
  for (const { text, front, back, lines, isCut } of texts) {
    const ratio = contrast(front, back);
    if (ratio < CONTRAST)
      found.push(`"${text}": contrast ${ratio.toFixed(2)} of rgb(${front.join()}) on rgb(${back.join()})`);
    if (isCut) found.push(`"${text}" is cut off`);
    if (lines.some((line) => line[2] > box[2] + 1)) found.push(`"${text}" sticks out`);
    if (/m2fp-\w+\.\w/.test(text)) found.push(`"${text}" is no text`);
  }
  const things = [
    ...texts.flatMap(({ text, lines }) => lines.map((line) => [`"${text}"`, line] as const)),
    ...fields.map((field) => [field.name, field.box] as const),
  ];
  things.forEach(([name, one], index) => {
    for (const [other, two] of things.slice(index + 1)) {
      // A text of more lines is more things.
      if (name !== other && overlap(one, two)) found.push(`${name} and ${other} overlap`);
    }
  });
  for (const field of fields) {
    if (!field.isLabelled) found.push(`${field.name} has no label`);
    if (field.box[2] > box[2] + 1) found.push(`${field.name} sticks out`);
  }
  return found;
}

function overlap(one: Box, other: Box): boolean {
  const width = Math.min(one[2], other[2]) - Math.max(one[0], other[0]);
  const height = Math.min(one[3], other[3]) - Math.max(one[1], other[1]);
  return width > TOUCH && height > TOUCH;
}

/** The contrast of two colours, as WCAG 2 defines it. */
function contrast(one: Rgb, other: Rgb): number {
  const luminance = (color: Rgb): number => {
    const [red, green, blue] = color.map((channel) => {
      const value = channel / 255;
      return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * red! + 0.7152 * green! + 0.0722 * blue!;
  };
  const [dark, light] = [luminance(one), luminance(other)].toSorted((a, b) => a - b);
  return (light! + 0.05) / (dark! + 0.05);
}

/** Fields and buttons of `scope` that the tabulator does not reach from its first field on. */
export async function unreachable(page: Page, scope: Locator): Promise<string[]> {
  const wanted = await scope.evaluate((root, selector) => {
    const fields = [...root.querySelectorAll<HTMLButtonElement>(selector)].filter(
      (field) => field.checkVisibility({ visibilityProperty: true }) && !field.disabled,
    );
    fields.forEach((field, index) => field.setAttribute('data-tab', String(index)));
    fields[0]?.focus();
    return fields.map(({ id, className, textContent }) => id || textContent.trim() || className);
  }, FOCUSABLE);
  const seen = new Set<number>();
  // Some elements are the editor's own, such as the selection of a TypedInput's type.
  for (let step = 0; step < 3 * wanted.length && seen.size < wanted.length; step++) {
    const at = await page.evaluate(() => document.activeElement?.getAttribute('data-tab') ?? '');
    if (at !== '') seen.add(Number(at));
    await page.keyboard.press('Tab');
  }
  return wanted.filter((_, index) => !seen.has(index));
}
