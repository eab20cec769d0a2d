/**
 * Deploys, from the moment when nodes begin to stop until those are there that take their place. What is sent to a node in
 * between, and what is on its way to one, Node-RED drops without a word.
 */
import type { NodeAPI } from 'node-red';
import { raceSignal } from '../../src/async.ts';

/** As Node-RED tells of it: what is deployed, and the ids of nodes that stop. */
export interface Deploy {
  type: 'full' | 'flows' | 'nodes';
  diff?: Partial<Record<'changed' | 'removed' | 'rewired' | 'linked' | 'flowChanged', string[]>> | null;
}

interface Listener {
  /** All nodes are still there. */
  stopping?: (deploy: Deploy) => void;
  started?: () => void;
}

type Red = Pick<NodeAPI, 'events'>;

/** Milliseconds; a deploy whose nodes cannot be started has no end. */
const LONGEST = 15_000;

export class Deploys {
  readonly #listeners = new Set<Listener>();
  #over: Promise<void> | undefined;
  #end = (): void => {};

  constructor({ events }: Red) {
    events.on('flows:stopping', (deploy: Deploy) => {
      if (this.#over === undefined) this.#begin();
      for (const { stopping } of this.#listeners) stopping?.(deploy);
    });
    events.on('flows:started', () => {
      for (const { started } of this.#listeners) started?.();
      this.#end();
    });
  }

  #begin(): void {
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(() => this.#end(), LONGEST).unref();
    this.#over = promise;
    this.#end = () => {
      clearTimeout(timer);
      this.#over = undefined;
      resolve();
    };
  }

  /** Returns the function that ends the subscription. */
  listen(listener: Listener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Undefined where no nodes are being replaced; else resolves when that is over, and rejects with the signal's reason. */
  over(signal: AbortSignal): Promise<void> | undefined {
    return this.#over && raceSignal(this.#over, signal);
  }
}

const known = new WeakMap<object, Deploys>();

/** Those of a Node-RED; it gets one listener, however many nodes ask. */
export function deploysOf(RED: Red): Deploys {
  const { events } = RED;
  const deploys = known.get(events) ?? new Deploys(RED);
  known.set(events, deploys);
  return deploys;
}
