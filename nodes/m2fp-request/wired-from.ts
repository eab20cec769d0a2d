/** The http in nodes whose requests come to a node as they are. */
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
export function endpointsBefore(RED: NodeAPI, node: Node & { _alias?: string }): Endpoint[] {
  const stored = new Map<string, Stored>();
  RED.nodes.eachNode((config) => stored.set(config.id, config as Stored));
  const target = node._alias ?? node.id;
  const reaches = (from: Stored, seen: Set<string>): boolean =>
    nextOf(from, stored).some((id) => {
      if (id === target) return true;
      const next = stored.get(id);
      if (next === undefined || seen.has(id) || !passesOn(next)) return false;
      seen.add(id);
      return reaches(next, seen);
    });
  return [...stored.values()]
    .filter((from) => from.type === 'http in' && reaches(from, new Set()))
    .map((from) => endpointOf(RED, from));
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
