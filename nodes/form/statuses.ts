/**
 * Statuses with numbers in the language of the editor. Node-RED translates a status that is the key of a text, but sends
 * no values for it: those with numbers come as words in the language of the server.
 */
import en from '../m2fp-model/locales/en-US/m2fp-model.json' with { type: 'json' };
import zh from '../m2fp-model/locales/zh-CN/m2fp-model.json' with { type: 'json' };
import type { EditorRed } from './editor.ts';
import { matching, patternsOf } from './patterns.ts';
import { sharedText } from './texts.ts';

const GROUPS = ['status', 'pull', 'result'] as const;

const PATTERNS = [en, zh].flatMap((catalogue) =>
  GROUPS.flatMap((group) => patternsOf(catalogue['m2fp-model'][group], group, '[\\d.]+[kM]?')),
);

/** The status in the editor's language; undefined for what is none of ours. */
export function translateStatus(RED: Pick<EditorRed, '_'>, status: string): string | undefined {
  const found = matching(PATTERNS, status);
  return found && sharedText(RED, found.key, found.values);
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
