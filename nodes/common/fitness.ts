/** Nodes that cannot do their work whatever message comes: the health asks for them, since no model is to blame. */
import type { Node } from 'node-red';
import type { HealthReason } from '../../src/observe/health.ts';
import { nameOf } from './refusals.ts';

/** What is wrong with a node. */
export type NodeFault = Pick<HealthReason, 'message'> & {
  code: 'node-misconfigured' | 'keys-missing' | 'jobs-folder';
};

interface Entry {
  node: Node;
  look: () => Promise<NodeFault | undefined>;
}

const entries = new Set<Entry>();

/**
 * From now on until the node closes, the health asks `look` what is wrong with it.
 * @param look never rejects, and waits for nothing that may hang
 */
export function watchFitness(node: Node, look: Entry['look']): void {
  const entry = { node, look };
  entries.add(entry);
  node.on('close', () => void entries.delete(entry));
}

/** Notes that a node can do nothing before it is deployed anew: its form is wrong. */
export function noteMisfit(node: Node, error: unknown): void {
  const message = error instanceof Error ? error.message : String(error);
  watchFitness(node, async () => ({ code: 'node-misconfigured', message }));
}

/** What is wrong with the nodes that run; each is told of once. */
export async function nodeReasons(): Promise<HealthReason[]> {
  const found = new Map<Node, HealthReason>();
  for (const { node, look } of entries) {
    const fault = found.has(node) ? undefined : await look();
    if (!fault) continue;
    const name = nameOf(node);
    found.set(node, {
      code: fault.code,
      model: '',
      node: name,
      message: `"${name}" (${node.type}): ${fault.message}`,
    });
  }
  return [...found.values()];
}
