/** Handing results and errors to Node-RED, which copies messages and may fail at it. */
import type { Node, NodeAPI, NodeMessage, NodeMessageInFlow } from 'node-red';
import { leaveOutUncopyable, withoutUncopyable } from './left-out.ts';

/** What leaves through one output: a message, a sequence, or nothing. */
type Port = NodeMessage | NodeMessage[] | null;

/** What to send where it is not all for the first output. */
export class Outputs {
  readonly ports: Port[];
  readonly fate: 'sent' | 'dropped';

  constructor(ports: Port[], fate: 'sent' | 'dropped' = 'sent') {
    this.ports = ports;
    this.fate = fate;
  }
}

/**
 * What a node makes of a message: one message or a sequence for the first output, or more. Never the message itself, which
 * async functions would wait for where it has a `then`.
 */
export type Result = NodeMessage[] | Outputs;

export type Send = (msg: NodeMessage | Port[]) => void;

/** What Node-RED hands on without copying it. */
const NEVER_COPIED = ['req', 'res'];

/** The two ways in which a message leaves a node, neither of which is lost where Node-RED cannot copy it. */
export class HandOver {
  readonly #red: Pick<NodeAPI, 'util'>;
  readonly #node: Node & { wires?: string[][] };

  constructor(RED: Pick<NodeAPI, 'util'>, node: Node) {
    this.#red = RED;
    this.#node = node;
  }

  /** Sends a result on. Where more than one wire leads on, all but the first get copies. */
  result(msg: NodeMessageInFlow, result: Result, send: Send): void {
    const outgoing = whatToSend(result);
    if ((this.#node.wires ?? []).flat().length > 1) {
      for (const sent of [outgoing].flat(2)) if (sent !== null) leaveOutUncopyable(this.#red, sent);
    }
    withRequest(msg, () => send(outgoing));
  }

  /** Ends the message, with the error where there is one: each Catch and Complete node gets a copy. */
  end(msg: NodeMessageInFlow, done: (error?: Error) => void, failure: Error | undefined): void {
    try {
      withRequest(msg, () => done(failure));
    } catch (error) {
      if (failure === undefined) throw error;
      // The first copy has failed, so nobody has the message yet.
      this.#node.error(failure, withoutUncopyable(this.#red, msg));
    }
  }
}

/** Puts `req` and `res` back, which Node-RED takes out of a message while it copies it, and loses where that fails. */
function withRequest(msg: NodeMessage, hand: () => void): void {
  const kept = Object.entries(Object.getOwnPropertyDescriptors(msg)).filter(([name]) =>
    NEVER_COPIED.includes(name),
  );
  try {
    hand();
  } catch (error) {
    for (const [name, property] of kept) {
      if (!Object.hasOwn(msg, name)) Object.defineProperty(msg, name, property);
    }
    throw error;
  }
}

function whatToSend(result: Result): NodeMessage | Port[] {
  if (result instanceof Outputs) return result.ports;
  return result.length === 1 ? result[0]! : [result];
}
