/** The editor's own objects, as far as these tests use them. */
declare const RED: {
  _(key: string): string;
  actions: { invoke(name: string): void };
  nodes: {
    getType(type: string): { category: string; defaults: object } | null;
    node(id: string): {
      type: string;
      status?: { fill?: string };
      valid?: boolean;
      validationErrors?: string[];
      [property: string]: unknown;
    } | null;
    createCompleteNodeSet(): { id: string; type: string; z?: string }[];
    createExportableNodeSet(nodes: object[]): object[];
    filterNodes(filter: object): { id: string; type: string }[];
    dirty(): boolean;
  };
  utils: { getNodeLabel(node: object): string };
  workspaces: { show(id: string): void };
  editor: {
    edit(node: object | null): void;
    editConfig(name: string, type: string, id: string): void;
  };
};
