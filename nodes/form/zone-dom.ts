/** The page, as far as the zone editor draws on it: jQuery makes no SVG, and the DOM's own types would hold for the whole project. */

/** An event of the pointer or the keyboard. */
export interface PageEvent {
  key: string;
  shiftKey: boolean;
  ctrlKey: boolean;
  metaKey: boolean;
  altKey: boolean;
  button: number;
  pointerId: number;
  clientX: number;
  clientY: number;
  preventDefault(): void;
  stopPropagation(): void;
}

export interface PageElement {
  textContent: string;
  value: string;
  hidden: boolean;
  disabled: boolean;
  readonly isConnected: boolean;
  readonly files: ArrayLike<object> | null;
  setAttribute(name: string, value: string): void;
  removeAttribute(name: string): void;
  addEventListener(type: string, listener: (event: PageEvent) => void): void;
  append(...content: (PageElement | string)[]): void;
  replaceChildren(...content: (PageElement | string)[]): void;
  querySelector(selector: string): PageElement | null;
  getBoundingClientRect(): { left: number; top: number; width: number; height: number };
  setPointerCapture(pointer: number): void;
  getAttribute(name: string): string | null;
  contains(element: PageElement): boolean;
  focus(options?: { preventScroll: boolean }): void;
  click(): void;
}

interface PageDocument {
  querySelector(selector: string): PageElement | null;
  createElement(name: string): PageElement;
  createElementNS(space: string, name: string): PageElement;
  readonly activeElement: PageElement | null;
}

const { document: page } = globalThis as unknown as { document: PageDocument };

const SVG = 'http://www.w3.org/2000/svg';

type Attributes = Readonly<Record<string, string | number>>;

function dress(element: PageElement, attributes: Attributes, content: (PageElement | string)[]): PageElement {
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, String(value));
  element.append(...content);
  return element;
}

/** A new element of HTML. */
export function html(
  name: string,
  attributes: Attributes = {},
  ...content: (PageElement | string)[]
): PageElement {
  return dress(page.createElement(name), attributes, content);
}

/** A new element of SVG. */
export function svg(
  name: string,
  attributes: Attributes = {},
  ...content: (PageElement | string)[]
): PageElement {
  return dress(page.createElementNS(SVG, name), attributes, content);
}

/** What has the focus and can be used: what was taken off the page, or disabled, has lost it. */
export function focused(): PageElement | undefined {
  const element = page.activeElement;
  return element === null || element.disabled ? undefined : element;
}

export function find(selector: string): PageElement | null {
  return page.querySelector(selector);
}
