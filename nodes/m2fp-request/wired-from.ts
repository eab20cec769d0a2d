/** The http in nodes whose requests come to a node as they are, and whether a parsing response answers them. */
import type { Node, NodeAPI } from 'node-red';

/** A node as flows store it. */
interface Stored {
  id: string;
  type: string;
  wires?: string[][];
  /** Of a link out node. */
  links?: string[];
  mode?: string;
  /** Of a subflow. */
  in?: { wires?: { id: string }[] }[];
  /** Of an http in node. */
  url?: string;
  method?: string;
}

/** What an http in node listens for. */
export interface Endpoint {
  url: string;
  method: string;
}

/**
 * The http in nodes from which wires lead to `node`, directly or through link nodes, junctions and into a subflow. What
 * lies behind any other node is not one: that node may want what Node-RED reads.
 */
export function endpointsBefore(RED: NodeAPI, node: Aliased): Endpoint[] {
  const stored = storedNodes(RED);
  const target = node._alias ?? node.id;
  return [...stored.values()]
    .filter((from) => from.type === 'http in' && reaches(from, ({ id }) => id === target, passesOn, stored))
    .map((from) => endpointOf(RED, from));
}

/** What a picture may pass through on its way to a parsing response that surely answers the same request. */
const ON_THE_WAY = ['preprocess', 'infer', 'colorize', 'crop', 'redact', 'preview'].map(
  (name) => `m2fp-${name}`,
);

/** Whether what `node` sends comes to a parsing response, with nothing in between that may answer in another way. */
export function isAnsweredBehind(RED: NodeAPI, node: Aliased): boolean {
  const stored = storedNodes(RED);
  const from = stored.get(node._alias ?? node.id);
  const leadsOn = (next: Stored): boolean => ON_THE_WAY.includes(next.type) || passesOn(next);
  return from !== undefined && reaches(from, ({ type }) => type === 'm2fp-response', leadsOn, stored);
}

type Aliased = Node & { _alias?: string };

function storedNodes(RED: NodeAPI): ReadonlyMap<string, Stored> {
  const stored = new Map<string, Stored>();
  RED.nodes.eachNode((config) => stored.set(config.id, config));
  return stored;
}

function reaches(
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

const passesOn = ({ type, mode }: Stored): boolean =>
  ['junction', 'link in', 'link out'].includes(type) ? mode !== 'return' : type.startsWith('subflow:');

function nextOf({ type, wires = [], links = [] }: Stored, stored: ReadonlyMap<string, Stored>): string[] {
  if (type === 'link out') return links;
  if (!type.startsWith('subflow:')) return wires.flat();
  const inputs = stored.get(type.slice('subflow:'.length))?.in ?? [];
  return inputs.flatMap((input) => (input.wires ?? []).map(({ id }) => id));
}

/** As the running node has it, whose address may hold what an environment variable says. */
function endpointOf(RED: NodeAPI, { id, url = '', method = '' }: Stored): Endpoint {
  const running = RED.nodes.getNode(id) as Partial<Endpoint> | null;
  const address = running?.url ?? url;
  return { url: address.startsWith('/') ? address : `/${address}`, method: running?.method ?? method };
}
