/**
 * What the catalogue of Node-RED (flows.nodered.org) reads out of a node's HTML. It does not run the editor's scripts:
 * it looks for `registerType` with a literal name and a definition written on the spot, and takes literals from there
 * (node-red/flow-library, lib/modules.js; node-red-dev 0.1.6 does the same for the scorecard).
 */
import { parse } from 'acorn';
import { simple } from 'acorn-walk';

/** A node type as the catalogue knows it. */
export interface CatalogueType {
  name: string;
  category?: unknown;
  color?: unknown;
  icon?: unknown;
  inputs?: unknown;
  outputs?: unknown;
  defaults: string[];
}

/** What must be a literal for the catalogue to see it. */
const LITERALS = ['category', 'color', 'icon', 'inputs', 'outputs'] as const;

/**
 * @returns the types that the catalogue finds in `html`, and what it would miss or trip over, one sentence each
 */
export function catalogueTypes(html: string): { types: CatalogueType[]; faults: string[] } {
  const scripts = [...html.matchAll(/<script.+?type=['"]text\/javascript['"].*?>([^]*?)<\/script>/gi)].map(
    (match) => match[1]!,
  );
  if (scripts.length === 0) return { types: [], faults: ['no <script type="text/javascript">'] };
  const types: CatalogueType[] = [];
  const faults: string[] = [];
  for (const script of scripts) {
    let program;
    try {
      program = parse(script, { ecmaVersion: 'latest' });
    } catch (error) {
      faults.push(`a script that does not parse: ${(error as Error).message}`);
      continue;
    }
    simple(program, {
      CallExpression({ callee, arguments: [name, definition] }) {
        if (callee.type !== 'MemberExpression' || callee.property.type !== 'Identifier') return;
        if (callee.property.name !== 'registerType') return;
        if (name?.type !== 'Literal' || definition?.type !== 'ObjectExpression') {
          faults.push('registerType without a literal name or without a definition on the spot');
          return;
        }
        const type: CatalogueType = { name: String(name.value), defaults: [] };
        for (const property of definition.properties) {
          if (property.type !== 'Property' || property.key.type !== 'Identifier') {
            faults.push(`${type.name}: a spread or a computed name in the definition stops the catalogue`);
            continue;
          }
          const { key, value } = property;
          const literal = LITERALS.find((wanted) => wanted === key.name);
          if (literal !== undefined) {
            if (value.type === 'Literal') type[literal] = value.value;
            else faults.push(`${type.name}: ${literal} is not a literal`);
          }
          if (key.name !== 'defaults') continue;
          if (value.type !== 'ObjectExpression')
            faults.push(`${type.name}: defaults are not written on the spot`);
          else
            for (const field of value.properties)
              if (field.type === 'Property' && field.key.type === 'Identifier')
                type.defaults.push(field.key.name);
              else faults.push(`${type.name}: a spread or a computed name in defaults stops the catalogue`);
        }
        types.push(type);
      },
    });
  }
  if (types.length === 0) faults.push('no type definitions');
  return { types, faults };
}
