/**
 * Statuses with numbers in the language of the editor. Node-RED translates a status that is the key of a text, but sends
 * no values for it: those with numbers come as words in the language of the server.
 */
import en from '../m2fp-model/locales/en-US/m2fp-model.json' with { type: 'json' };
import zh from '../m2fp-model/locales/zh-CN/m2fp-model.json' with { type: 'json' };
import type { EditorRed } from './editor.ts';
import { sharedText, type Values } from './texts.ts';

const GROUPS = ['status', 'pull', 'result'] as const;

interface Pattern {
  key: string;
  text: RegExp;
  /** Of the values, in the order in which they stand in the text. */
  names: string[];
}

const PATTERNS: Pattern[] = [en, zh].flatMap((catalogue) =>
  GROUPS.flatMap((group) =>
    Object.entries<string>(catalogue['m2fp-model'][group]).map(([name, text]) => ({
      key: `${group}.${name}`,
      text: patternOf(text),
      names: [...text.matchAll(/__(\w+?)__/g)].map((match) => match[1]!),
    })),
  ),
);

function patternOf(text: string): RegExp {
  const [first, ...rest] = text
    .split(/__\w+?__/)
    .map((words) => words.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`^${[first, ...rest].join('([\\d.]+[kM]?)')}$`);
}

/** The status in the editor's language; undefined for what is none of ours. */
export function translateStatus(RED: Pick<EditorRed, '_'>, status: string): string | undefined {
  for (const { key, text, names } of PATTERNS) {
    const found = text.exec(status);
    if (found === null) continue;
    const values: Values = Object.fromEntries(names.map((name, index) => [name, found[index + 1]!]));
    return sharedText(RED, key, values);
  }
  return undefined;
}

interface Status {
  text?: string;
}

/** What of the editor tells of statuses. */
export interface StatusEditor extends Pick<EditorRed, '_'> {
  comms: { subscribe(topic: string, listener: (topic: string, status: Status) => void): void };
  nodes: { node(id: string): { type: string; status?: Status; dirtyStatus?: boolean } | null };
  view: { redrawStatus?(node: object): void };
}

/** Translates the statuses of our nodes, before the editor shows them or right after. */
export function translateStatuses(RED: StatusEditor): void {
  RED.comms.subscribe('status/#', (topic, status) => {
    const node = RED.nodes.node(topic.split('/')[1] ?? '');
    if (!node?.type.startsWith('m2fp-') || typeof status.text !== 'string') return;
    const translated = translateStatus(RED, status.text);
    if (translated === undefined || translated === status.text) return;
    status.text = translated;
    if (node.status !== status) return;
    node.dirtyStatus = true;
    RED.view.redrawStatus?.(node);
  });
}
