/** The editor's own objects, as far as these tests use them. */
declare const RED: {
  _(key: string): string;
  actions: { invoke(name: string): void };
  nodes: {
    getType(type: string): { category: string } | null;
    node(id: string): {
      status?: { fill?: string };
      valid?: boolean;
      validationErrors?: string[];
      [property: string]: unknown;
    } | null;
    createCompleteNodeSet(): { id: string; type: string; z?: string }[];
    filterNodes(filter: object): { id: string; type: string }[];
    dirty(): boolean;
  };
  workspaces: { show(id: string): void };
  editor: { editConfig(name: string, type: string, id: string): void };
};

/** The page, as far as these tests use it: the DOM's own types would hold for the whole project. */
declare const document: {
  images: Iterable<{ naturalWidth: number; naturalHeight: number }>;
  querySelectorAll(selector: string): Iterable<PageElement> & { length: number };
  activeElement: PageElement | null;
  documentElement: PageElement;
  createRange(): { selectNodeContents(node: PageNode): void; getClientRects(): Iterable<PageBox> };
};
declare const localStorage: { setItem(key: string, value: string): void };
declare function getComputedStyle(element: PageElement): {
  color: string;
  fill: string;
  backgroundColor: string;
  overflowX: string;
};

interface PageNode {
  nodeType: number;
  textContent: string;
}
interface PageBox {
  left: number;
  top: number;
  right: number;
  bottom: number;
}
interface PageElement extends PageNode {
  id: string;
  tagName: string;
  className: string;
  namespaceURI: string;
  parentElement: PageElement | null;
  childNodes: Iterable<PageNode>;
  classList: { toggle(name: string, on: boolean): void };
  /** Of fields. */
  labels?: { length: number } | null;
  disabled?: boolean;
  querySelectorAll(selector: string): Iterable<PageElement> & { length: number };
  getAttribute(name: string): string | null;
  setAttribute(name: string, value: string): void;
  getBoundingClientRect(): PageBox;
  checkVisibility(options: { visibilityProperty: boolean }): boolean;
  focus(): void;
}
