/** The API keys that the form has, some of which may be environment variables. */
import type { Node, NodeAPI } from 'node-red';
import { M2fpError } from '../../src/errors.ts';
import type { RequestCredentials } from './config.ts';

export interface UsableKeys {
  /** With blanks between them; blank: everybody may ask. */
  keys: string;
  /** What is wrong with others. */
  warnings: string[];
}

/**
 * What can be asked for. A variable may hold several keys.
 * @throws {M2fpError} `M2FP_BAD_OPTION` where keys were entered, and there is none: one that is missing must not open the door
 */
export function usableKeys(RED: NodeAPI, node: Node<RequestCredentials> & { _alias?: string }): UsableKeys {
  // Node-RED has put the value in where one variable is all that was entered.
  const given = keysIn(node.credentials?.keys);
  const entered = (RED.nodes.getCredentials(node._alias ?? node.id) as RequestCredentials | undefined)?.keys;
  if (given.length === 0 && keysIn(entered).length === 0) return { keys: '', warnings: [] };
  const keys: string[] = [];
  const warnings: string[] = [];
  for (const key of given) {
    const name = variableIn(key);
    const value = name === undefined ? key : settingOf(RED, node, name);
    const found = keysIn(value).filter((each) => variableIn(each) === undefined);
    const own = found.filter(isSendable);
    if (own.length < found.length) warnings.push(unsendable(name));
    else if (own.length === 0)
      warnings.push(
        value === undefined
          ? `There is no environment variable ${name}, which the API keys name: set it, or enter the keys.`
          : blank(name!),
      );
    keys.push(...own);
  }
  if (keys.length > 0) return { keys: keys.join(' '), warnings };
  // The value was put in before, and is blank.
  const why = warnings.length > 0 ? warnings : keysIn(entered).map((key) => blank(variableIn(key) ?? key));
  throw new M2fpError('M2FP_BAD_OPTION', `${why.join(' ')} Until there is a key, nobody is let in.`);
}

/** Whether a client can send it: of other characters, a header has none, or others than were meant. */
const isSendable = (key: string): boolean => /^[!-~]+$/.test(key);

function unsendable(name: string | undefined): string {
  const where = name === undefined ? 'An API key' : `An API key in the environment variable ${name}`;
  return `${where} holds a character that no client can send: take letters from A to Z without accents, digits and signs.`;
}

function blank(name: string): string {
  return `The environment variable ${name}, which the API keys name, holds no key.`;
}

function keysIn(text: unknown): string[] {
  return typeof text === 'string' ? text.split(/[\s,]+/).filter(Boolean) : [];
}

/** Node-RED knows two forms. */
function variableIn(key: string): string | undefined {
  const [, name, older] = /^\$(?:\{([^}]+)\}|\(([^)]+)\))$/.exec(key) ?? [];
  return name ?? older;
}

/** Also of a flow, a group or a sub-flow. */
function settingOf(RED: NodeAPI, node: Node, name: string): string | undefined {
  const { getSetting } = RED.util as unknown as { getSetting: (node: Node, name: string) => unknown };
  const value = getSetting(node, name);
  return typeof value === 'number' ? String(value) : typeof value === 'string' ? value : undefined;
}
