/** The editor's own objects, as far as the forms use them: the DOM's own types would hold for the whole project. */

/** A jQuery collection. */
export interface Elements {
  length: number;
  val(): string | undefined;
  val(value: string): Elements;
  text(): string;
  text(value: string): Elements;
  attr(name: string): string | undefined;
  attr(name: string, value: string): Elements;
  removeAttr(name: string): Elements;
  data(name: string): unknown;
  data(name: string, value: unknown): Elements;
  prop(name: string): unknown;
  prop(name: string, value: boolean): Elements;
  css(name: string, value: string): Elements;
  addClass(name: string): Elements;
  toggleClass(name: string, on: boolean): Elements;
  toggle(shown: boolean): Elements;
  append(...content: (Elements | string)[]): Elements;
  appendTo(parent: Elements | string): Elements;
  empty(): Elements;
  find(selector: string): Elements;
  has(selector: string): Elements;
  closest(selector: string): Elements;
  is(selector: string): boolean;
  each(visit: (this: object) => void): Elements;
  on(events: string, listener: (this: object) => void): Elements;
  trigger(event: string): Elements;
  typedInput(options: TypedInputOptions): Elements;
}

export interface TypedInputOptions {
  default: string;
  types: readonly string[];
  typeField?: string;
}

export interface Request {
  done(listener: (answer: unknown) => void): Request;
  fail(listener: (response: { status: number; responseJSON?: unknown }) => void): Request;
}

export interface Dollar {
  (what: string | object): Elements;
  /** Of a relative address, so that the editor adds the user's token. */
  ajax(request: { url: string; type: string; contentType?: string; data?: string }): Request;
}

/** How a property of a node is checked; with two parameters it may give the reason why it is wrong. */
export type Validator = (this: object, value: unknown, opt?: object) => true | false | string;

/** A node in the editor. */
export interface EditorNode {
  id: string;
  type: string;
  name?: string;
  _def: {
    category: string;
    defaults: Readonly<Record<string, { value: unknown; type?: string; validate?: Validator }>>;
    /** What Node-RED keeps apart from flows. */
    credentials?: Readonly<Record<string, object>>;
  };
  [property: string]: unknown;
}

export interface EditorRed {
  _(key: string, values?: Readonly<Record<string, string | number>>): string;
  nodes: {
    eachConfig(visit: (node: EditorNode) => boolean | void): void;
  };
  utils: { getNodeLabel(node: EditorNode, fallback: string): string };
  validators: {
    typedInput(options: {
      /** Of the property that has the type, or the type itself. */
      typeField?: string;
      type?: string;
      allowUndefined: boolean;
      allowBlank?: boolean;
    }): Validator;
  };
}
