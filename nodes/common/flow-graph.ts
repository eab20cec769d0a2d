/** How nodes are wired, as flows store it: what may come where. */
import type { Node, NodeAPI } from 'node-red';

/** A node as flows store it. */
export interface Stored {
  id: string;
  type: string;
  /** The flow or the subflow that it lies in. */
  z?: string;
  wires?: string[][];
  /** Whether it is disabled. */
  d?: boolean;
  /** Of a link out or a link call node. */
  links?: string[];
  mode?: string;
  /** Of a link call node: `dynamic` where the message says where it leads. */
  linkType?: string;
  /** Of a complete node: the nodes whose messages it gets when they are done with them. */
  scope?: string[] | null;
  /** Of a subflow. */
  in?: { wires?: { id: string }[] }[];
  /** Of an http in node. */
  url?: string;
  method?: string;
  /** Of a parsing response. */
  format?: string;
  view?: string;
  masks?: string;
  picture?: boolean;
  /** Of an infer node. */
  model?: string;
}

/** A node of a subflow has the id that flows store as its alias. */
export type Aliased = Node & { _alias?: string };

/** All of them by their ids. */
export function storedNodes(RED: NodeAPI): ReadonlyMap<string, Stored> {
  const stored = new Map<string, Stored>();
  RED.nodes.eachNode((config) => stored.set(config.id, config));
  return stored;
}

/** Whether what `from` sends may come to such a node, through whatever nodes. */
export function comesTo(
  from: Stored | undefined,
  isTarget: (node: Stored) => boolean,
  stored: ReadonlyMap<string, Stored>,
): boolean {
  const ofType = (type: string): Stored[] => [...stored.values()].filter((other) => other.type === type);
  const completes = ofType('complete');
  const nextAny = (node: Stored): string[] => {
    const { id, type, z = '', wires = [], links = [], mode } = node;
    const isReturn = type === 'link out' && mode === 'return';
    return [
      ...wires.flat(),
      ...(type === 'link in' ? [] : links),
      ...(type.startsWith('subflow:') ? nextOf(node, stored) : []),
      ...completes.filter(({ scope }) => scope?.includes(id)).map((complete) => complete.id),
      // Out of a subflow, and back to where a link was called.
      ...[...ofType(`subflow:${z}`), ...(isReturn ? ofType('link call') : [])].flatMap(
        (caller) => caller.wires?.flat() ?? [],
      ),
    ];
  };
  const seen = new Set<string>();
  const isReached = (id: string): boolean => {
    const next = stored.get(id);
    if (next === undefined || next.d === true || seen.has(id)) return false;
    seen.add(id);
    return isTarget(next) || nextAny(next).some(isReached);
  };
  return from !== undefined && nextAny(from).some(isReached);
}

/** Whether what `from` sends comes to such a node, through nodes alone that lead on. */
export function reaches(
  from: Stored,
  isTarget: (node: Stored) => boolean,
  leadsOn: (node: Stored) => boolean,
  stored: ReadonlyMap<string, Stored>,
  seen = new Set<string>(),
): boolean {
  return nextOf(from, stored).some((id) => {
    const next = stored.get(id);
    if (next === undefined || seen.has(id)) return false;
    if (isTarget(next)) return true;
    seen.add(id);
    return leadsOn(next) && reaches(next, isTarget, leadsOn, stored, seen);
  });
}

/** Whether a node hands messages on as they are. */
export const passesOn = ({ type, mode }: Stored): boolean =>
  ['junction', 'link in', 'link out'].includes(type) ? mode !== 'return' : type.startsWith('subflow:');

/** The nodes that `from` sends to. */
export function nextOf(
  { type, wires = [], links = [] }: Stored,
  stored: ReadonlyMap<string, Stored>,
): string[] {
  if (type === 'link out') return links;
  if (!type.startsWith('subflow:')) return wires.flat();
  const inputs = stored.get(type.slice('subflow:'.length))?.in ?? [];
  return inputs.flatMap((input) => (input.wires ?? []).map(({ id }) => id));
}
