/**
 * When the flow is done with a frame. Node-RED has no way back from a node to the one before, but its hooks tell of every message
 * that a node gets, and of every one that it is done with; a message keeps its id on its way, and so do its copies.
 */
import { setImmediate } from 'node:timers/promises';
import type { Node, NodeAPI, NodeMessage } from 'node-red';

/** Milliseconds after which a model counts as done with a frame in any case. */
const LONGEST = 60_000;

/** Milliseconds that other nodes may keep a frame on its way to a model: a join node, say, waits for more of them. */
const HELD = 10_000;

/** Milliseconds that a node may keep it that never says that it is done, as the switch node: either it sends it on by then, or drops it. */
const SILENCE = 1000;

/** Turns of the event loop in which a message is nowhere, between a node that is done with it and the next one, over link nodes, too. */
const BETWEEN = 4;

const MODEL = 'm2fp-infer';
const LABEL = 'm2fp-camera';

interface Watched {
  /** Nodes that have it, and how many of them are models. */
  holders: number;
  models: number;
  /** The first infer node that it came to, and what the last one said. */
  infer?: Node;
  error?: unknown;
  /** Counts what happens to it. */
  events: number;
  /** Runs while a node may have it that does not say when it is done. */
  silence: NodeJS.Timeout | undefined;
  /** A model has it. */
  reached: () => void;
  end: () => void;
}

interface HookedNode {
  id: string;
  /** `_expectedDoneCount`: 0 where none of its listeners takes a `done`. */
  node: Node & { _expectedDoneCount?: number };
}

interface CompleteEvent {
  msg: NodeMessage | undefined;
  node: HookedNode;
  error?: unknown;
}

/** By the messages' ids, of all cameras. */
const watched = new Map<string, Watched>();
/** Cameras that listen: Node-RED's hooks cost every message a little, so there are none without a camera. */
let listeners = 0;

/** To be called before the first {@link FlowWatch.send}; returns the function that ends it. */
export function listenToFlow(RED: Pick<NodeAPI, 'hooks'>): () => void {
  if (listeners++ === 0) listen(RED);
  return () => {
    if (--listeners === 0) RED.hooks.remove(`*.${LABEL}`);
  };
}

/** The frames of one camera in its flow. */
export class FlowWatch {
  /**
   * Milliseconds in which nobody has a frame before it comes to a model after all: a function node may say that it is done, and
   * send later.
   */
  #gap: number;

  /** @param hasModel whether frames may come to a model */
  constructor(hasModel: boolean) {
    this.#gap = hasModel ? SILENCE / 2 : 0;
  }

  /**
   * Sends `msg`, and resolves when a model is done with it and no other model has it; where none gets it, when no node has it any more.
   * @param send called at once
   * @returns the infer node that it came to first, and the error of the last one, where it failed; undefined: none
   * @throws what `send` throws
   */
  async send(
    msg: NodeMessage & { _msgid: string },
    send: () => void,
  ): Promise<{ infer?: Node | undefined; error?: unknown }> {
    const ended = Promise.withResolvers<void>();
    const reached = Promise.withResolvers<void>();
    const frame: Watched = {
      holders: 0,
      models: 0,
      events: 0,
      silence: undefined,
      reached: reached.resolve,
      end: ended.resolve,
    };
    watched.set(msg._msgid, frame);
    const timers = [
      setTimeout(ended.resolve, LONGEST),
      setTimeout(() => frame.models === 0 && ended.resolve(), HELD),
    ];
    for (const timer of timers) timer.unref();
    try {
      send();
      void endIfNobodyHas(frame);
      await ended.promise;
      if (frame.infer === undefined) await this.#waitForModel(frame, reached.promise);
      const { infer, error } = frame;
      return { infer, error };
    } finally {
      for (const timer of timers) clearTimeout(timer);
      clearTimeout(frame.silence);
      watched.delete(msg._msgid);
    }
  }

  /** Where frames were late before, this one may be, too. */
  async #waitForModel(frame: Watched, reached: Promise<void>): Promise<void> {
    if (this.#gap === 0) return;
    const began = performance.now();
    const over = Promise.withResolvers<void>();
    const ended = Promise.withResolvers<void>();
    frame.end = ended.resolve;
    const timers = [setTimeout(over.resolve, this.#gap * 2), setTimeout(ended.resolve, LONGEST)];
    await Promise.race([reached, over.promise]);
    // It takes a few frames that come to no model before none is waited for.
    const gap = frame.infer ? performance.now() - began : this.#gap / 4;
    this.#gap = gap < SHORTEST ? 0 : Math.min(gap, HELD / 2);
    if (frame.models > 0) await ended.promise;
    for (const timer of timers) clearTimeout(timer);
  }
}

/** Milliseconds: a shorter gap is none. */
const SHORTEST = 20;

function listen({ hooks }: Pick<NodeAPI, 'hooks'>): void {
  hooks.add(`onReceive.${LABEL}`, ({ msg, destination }: { msg: NodeMessage; destination: HookedNode }) => {
    const frame = watched.get(msg._msgid ?? '');
    if (frame === undefined) return;
    frame.events++;
    // Who had it before has sent it on.
    clearTimeout(frame.silence);
    frame.silence = undefined;
    if (destination.node._expectedDoneCount === 0) {
      frame.silence = setTimeout(() => {
        frame.silence = undefined;
        void endIfNobodyHas(frame);
      }, SILENCE).unref();
      return;
    }
    frame.holders++;
    if (destination.node.type !== MODEL) return;
    frame.models++;
    frame.infer ??= destination.node;
    frame.reached();
  });
  hooks.add(`onComplete.${LABEL}`, ({ msg, node, error }: CompleteEvent) => {
    const frame = watched.get(msg?._msgid ?? '');
    if (frame === undefined || node.node._expectedDoneCount === 0) return;
    frame.events++;
    frame.holders--;
    if (node.node.type === MODEL) {
      frame.error = error ?? undefined;
      if (--frame.models <= 0) frame.end();
    }
    void endIfNobodyHas(frame);
  });
}

/** A node says that it is done before the next one gets what it sent. */
async function endIfNobodyHas(frame: Watched): Promise<void> {
  const { events } = frame;
  for (let turn = 0; turn < BETWEEN; turn++) {
    if (frame.holders > 0 || frame.silence) return;
    await setImmediate();
    // Something has happened to it, after which this is asked again.
    if (frame.events !== events) return;
  }
  if (frame.holders <= 0 && !frame.silence) frame.end();
}
