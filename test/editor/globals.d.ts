/** The editor's own objects, as far as these tests use them. */
declare const RED: {
  actions: { invoke(name: string): void };
  nodes: {
    getType(type: string): { category: string } | null;
    node(id: string): { status?: { fill?: string }; valid?: boolean } | null;
    createCompleteNodeSet(): { id: string; type: string; z?: string }[];
    filterNodes(filter: object): { id: string; type: string }[];
    dirty(): boolean;
  };
  workspaces: { show(id: string): void };
};

/** The page, as far as these tests use it: the DOM's own types would hold for the whole project. */
declare const document: {
  images: Iterable<{ naturalWidth: number; naturalHeight: number }>;
  querySelectorAll(selector: string): { length: number };
};
