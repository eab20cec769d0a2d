/** The nodes with the properties that their forms give them. */
import { readFileSync } from 'node:fs';
import vm from 'node:vm';
import type { NodeConfig } from './red.ts';

export const TYPES = [
  'm2fp-model',
  'm2fp-load',
  'm2fp-preprocess',
  'm2fp-infer',
  'm2fp-colorize',
  'm2fp-crop',
] as const;
export type NodeType = (typeof TYPES)[number];

export type Validator = (this: object, value: unknown, opt?: object) => unknown;

/** What a node's html registers in the editor. */
export interface Definition {
  category: string;
  color: string;
  icon: string;
  inputs?: number;
  outputs?: number;
  defaults: Record<string, { value: unknown; type?: string; required?: boolean; validate?: Validator }>;
  [property: string]: unknown;
}

/** The path of a file of a node's folder. */
export function nodeFile(type: NodeType, path: string): URL {
  return new URL(`../../../nodes/${type}/${path}`, import.meta.url);
}

export function readNodeFile(type: NodeType, path: string): string {
  return readFileSync(nodeFile(type, path), 'utf8');
}

/** The editor script of a node. */
export function editorScript(type: NodeType): string {
  const scripts = [
    ...readNodeFile(type, `${type}.html`).matchAll(/<script type="text\/javascript">([^]*?)<\/script>/g),
  ];
  if (scripts.length !== 1) throw new Error(`${type}.html has ${scripts.length} scripts`);
  return scripts[0]![1]!;
}

/** Runs the editor script of a node as the editor does, and returns what it registers. */
export function registered(type: NodeType): Definition {
  let found: Definition | undefined;
  const RED = {
    nodes: {
      registerType(name: string, definition: Definition) {
        if (name !== type) throw new Error(`${type}.html registers ${name}`);
        found = definition;
      },
    },
    validators: { typedInput: () => () => true },
    _: (key: string) => key,
  };
  // No dialog is open: a field has no value.
  const $ = () => ({ val: () => undefined });
  vm.runInNewContext(editorScript(type), { RED, $ });
  if (found === undefined) throw new Error(`${type}.html registers nothing`);
  return found;
}

/** A node as it comes from the palette, with `properties` changed in its form. */
export function nodeConfig(type: NodeType, id: string, properties: Record<string, unknown> = {}): NodeConfig {
  const defaults = Object.entries(registered(type).defaults).map(([name, { value }]) => [name, value]);
  return { id, type, ...Object.fromEntries(defaults), ...properties };
}
