/** The editor's own objects, as far as the preview uses them. */

/** A node on the canvas. */
export interface CanvasNode {
  id: string;
  type: string;
  /** The tab. */
  z: string;
  /** The middle on the canvas. */
  x: number;
  y: number;
  /** Size on the canvas. */
  w: number;
  h: number;
  active: boolean;
  changed: boolean;
  dirty: boolean;
  status?: object;
}

/** What the editor's hooks tell of a node that was drawn, or goes. */
export interface ViewEvent {
  node: CanvasNode;
  el?: Element | null;
}

/** Editors before 3.1, and perhaps some to come, lack the hooks: nothing is drawn under the nodes then. */
export interface EditorRed {
  _(key: string, values?: Readonly<Record<string, string | number>>): string;
  comms: {
    subscribe(topic: string, listener: (topic: string, notice: unknown) => void): void;
    unsubscribe(topic: string, listener: (topic: string, notice: unknown) => void): void;
  };
  nodes: {
    /** Undefined for one that was deleted, null for none at all. */
    node(id: string): CanvasNode | null | undefined;
    filterNodes(filter: { z: string }): CanvasNode[];
    dirty(state: boolean): void;
  };
  view: { redraw(): void };
  history: { push(event: object): void };
  notify(message: string, options: { type: string; timeout?: number }): void;
  hooks?: {
    add(hook: string, listener: (event: ViewEvent) => void): void;
    remove(hook: string): void;
  };
}

/** jQuery's ajax adds the user's token to requests for relative addresses; fetch and images do not have it. */
export interface Ajax {
  ajax(request: {
    url: string;
    type: 'GET' | 'POST';
    dataType?: 'json';
    contentType?: 'application/json';
    xhrFields?: { responseType: 'blob' };
  }): PromiseLike<unknown>;
}

/** The picture at `url` as an object URL; whoever gets it revokes it. */
export async function pullImage($: Ajax, url: string): Promise<string> {
  const blob = await $.ajax({ url, type: 'GET', xhrFields: { responseType: 'blob' } });
  return URL.createObjectURL(blob as Blob);
}

export async function pullJson<T>($: Ajax, url: string): Promise<T> {
  return (await $.ajax({ url, type: 'GET', dataType: 'json' })) as T;
}

export const text = (
  RED: EditorRed,
  key: string,
  values?: Readonly<Record<string, string | number>>,
): string => RED._(`@m2fp/node-red-human-parsing/m2fp-preview:m2fp-preview.${key}`, values);

/** A new HTML element with attributes and children. */
export function element<K extends keyof HTMLElementTagNameMap>(
  name: K,
  attributes: Readonly<Record<string, string>> = {},
  ...children: (Node | string)[]
): HTMLElementTagNameMap[K] {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}
