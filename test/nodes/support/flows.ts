/** The nodes with the properties that their forms give them. */
import { readFileSync } from 'node:fs';
import vm from 'node:vm';
import type { Dollar, EditorRed } from '../../../nodes/form/editor.ts';
import { createForm } from '../../../nodes/form/form.ts';
import { nodeHtml } from '../../../tools/node-html.ts';
import type { FormFields } from '../../../src/parsing/options/option-table.ts';
import type { NodeConfig } from './red.ts';

export const TYPES = [
  'm2fp-model',
  'm2fp-load',
  'm2fp-camera',
  'm2fp-preprocess',
  'm2fp-infer',
  'm2fp-colorize',
  'm2fp-crop',
  'm2fp-mask',
  'm2fp-describe',
  'm2fp-redact',
  'm2fp-export',
  'm2fp-track',
  'm2fp-preview',
  'm2fp-request',
  'm2fp-response',
  'm2fp-jobs',
  'm2fp-status',
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
  credentials?: Record<string, { type: string }>;
  [property: string]: unknown;
}

/** The path of a file of a node's folder. */
export function nodeFile(type: NodeType, path: string): URL {
  return new URL(`../../../nodes/${type}/${path}`, import.meta.url);
}

export function readNodeFile(type: NodeType, path: string): string {
  return readFileSync(nodeFile(type, path), 'utf8');
}

const FIELDS = new Map(
  await Promise.all(
    TYPES.map(async (type) => {
      const config = (await import(nodeFile(type, 'config.ts').href)) as { FIELDS: FormFields };
      return [type, config.FIELDS] as const;
    }),
  ),
);

/** The fields of a node's form, by its config.ts. */
export function fieldsOf(type: NodeType): FormFields {
  return FIELDS.get(type)!;
}

const HTML = new Map(await Promise.all(TYPES.map(async (type) => [type, await nodeHtml(type)] as const)));

/** A node's html, as the build writes it. */
export function htmlOf(type: NodeType): string {
  return HTML.get(type)!;
}

/** The editor script of a node. */
export function editorScript(type: NodeType): string {
  const scripts = [...htmlOf(type).matchAll(/<script type="text\/javascript">([^]*?)<\/script>/g)];
  if (scripts.length !== 1) throw new Error(`${type}.html has ${scripts.length} scripts`);
  return scripts[0]![1]!;
}

/** What the editor's page has when it runs the script of a node's html: the script that all load runs before. */
export function editorPage(registerType: (name: string, definition: Definition) => void): object {
  const RED = {
    nodes: { registerType, eachConfig() {} },
    validators: { typedInput: () => () => true },
    utils: {},
    _: (key: string) => key,
  };
  // No dialog is open: a field has no value.
  const $ = () => ({ val: () => undefined });
  return {
    RED,
    $,
    M2FP: { form: createForm(RED as unknown as EditorRed, $ as unknown as Dollar) },
  };
}

/** Runs the editor script of a node as the editor does, and returns what it registers. */
export function registered(type: NodeType): Definition {
  let found: Definition | undefined;
  const page = editorPage((name, definition) => {
    if (name !== type) throw new Error(`${type}.html registers ${name}`);
    found = definition;
  });
  vm.runInNewContext(editorScript(type), page);
  if (found === undefined) throw new Error(`${type}.html registers nothing`);
  return found;
}

/** A node as it comes from the palette, with `properties` changed in its form. */
export function nodeConfig(type: NodeType, id: string, properties: Record<string, unknown> = {}): NodeConfig {
  const defaults = Object.entries(registered(type).defaults).map(([name, { value }]) => [name, value]);
  return { id, type, ...Object.fromEntries(defaults), ...properties };
}
