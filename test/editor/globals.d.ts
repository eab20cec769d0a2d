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
    createCompleteNodeSet(): { id: string; type: string; z?: string; [property: string]: unknown }[];
    createExportableNodeSet(nodes: object[]): object[];
    filterNodes(filter: object): { id: string; type: string }[];
    dirty(): boolean;
    /** The revision of the flows that the editor shows; null before they are loaded. */
    version(): string | null;
  };
  comms: { subscribe(topic: string, callback: (topic: string, message: { revision: string }) => void): void };
  utils: { getNodeLabel(node: object): string };
  view: { redraw(): void };
  workspaces: { show(id: string): void };
  editor: {
    edit(node: object | null): void;
    editConfig(name: string, type: string, id: string): void;
  };
};

/** The revision whose nodes run, where {@link Editor.deploy} has asked for it. */
declare var runningRevision: string | null | undefined;
