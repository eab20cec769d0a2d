/** What specs of the editor's files share: catalogues and forms of a node type. */
import { htmlOf, type NodeType, readNodeFile } from './flows.ts';

export const LANGUAGES = ['en-US', 'zh-CN'] as const;

type Tree = { [key: string]: Tree | string };

function flatten(tree: Tree, prefix = ''): Record<string, string> {
  return Object.fromEntries(
    Object.entries(tree).flatMap(([key, value]) =>
      typeof value === 'string'
        ? [[prefix + key, value]]
        : Object.entries(flatten(value, `${prefix}${key}.`)),
    ),
  );
}

/** A type's texts in a language, by their full keys. */
export function catalogue(type: NodeType, language: string): Record<string, string> {
  return flatten(JSON.parse(readNodeFile(type, `locales/${language}/${type}.json`)) as Tree);
}

/** The editor's own translation. */
export function editorIn(language: string) {
  const texts = catalogue('m2fp-model', language);
  return {
    _: (key: string, values: Record<string, unknown> = {}) =>
      (texts[key.split(':')[1]!] ?? key).replace(/__(\w+?)__/g, (_match, name: string) =>
        String(values[name]),
      ),
  };
}

/** The form's template. */
export function template(type: NodeType): string {
  const html = htmlOf(type);
  return new RegExp(`<script type="text/html" data-template-name="${type}">([^]*)</script>`).exec(html)![1]!;
}

/** What Node-RED's editor puts before a property to get its field's id. */
export const prefixOf = (type: NodeType): string =>
  type === 'm2fp-model' ? 'node-config-input-' : 'node-input-';
