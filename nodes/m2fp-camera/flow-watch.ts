/**
 * When the flow is done with a frame. Node-RED has no way back from a node to the one before, but its hooks tell of every message
 * that a node gets, and of every one that it is done with; a message keeps its id on its way, and so do its copies.
 */
import { setImmediate } from 'node:timers/promises';
import type { Node, NodeAPI, NodeMessage } from 'node-red';

/** Milliseconds after which a model counts as done with a frame in any case. */
const LONGEST = 60_000;

/** Milliseconds that other nodes may keep a frame on its way to a model: a join node, say, waits for more of them. */
const HELD = 5000;

/** Milliseconds that a node may keep it that never says that it is done, as the switch node: either it sends it on by then, or drops it. */
const SILENCE = 1000;

/** Turns of the event loop in which a message is nowhere, between a node that is done with it and the next one, over link nodes, too. */
const BETWEEN = 4;

/** Milliseconds that a frame that nobody has is waited for at first; later, twice what one took that came after all, and some more. */
const PATIENCE = 1000;
const SLACK = 100;

/** So many frames in a row that come to no model, and none is waited for any more. */
const DOUBT = 5;

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
  /** Milliseconds that are waited for a frame that nobody has: a function node may say that it is done, and send later. */
  #patience = PATIENCE;
  /** Frames in a row that nobody had, and that did not come to a model in that time. */
  #lost: number;

  /** @param hasModel whether frames may come to a model */
  constructor(hasModel: boolean) {
    this.#lost = hasModel ? 0 : DOUBT;
  }

  /**
   * Sends `msg`, and resolves when a model is done with it and no other model has it; where none gets it, when no node has it any more.
   * @param send called at once
   * @param onModel called when a model has it
   * @returns the infer node that it came to first, and the error of the last one, where it failed; undefined: none
   * @throws what `send` throws
   */
  async send(
    msg: NodeMessage & { _msgid: string },
    send: () => void,
    onModel: () => void,
  ): Promise<{ infer?: Node | undefined; error?: unknown }> {
    const ended = Promise.withResolvers<void>();
    const reached = Promise.withResolvers<void>();
    const frame: Watched = {
      holders: 0,
      models: 0,
      events: 0,
      silence: undefined,
      reached: () => {
        onModel();
        reached.resolve();
      },
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
      const forget = (): void => void watched.delete(msg._msgid);
      if (frame.infer) forget();
      // It may come later yet, and then the next ones are waited for.
      else setTimeout(forget, HELD).unref();
    }
  }

  async #waitForModel(frame: Watched, reached: Promise<void>): Promise<void> {
    const began = performance.now();
    const learn = async (): Promise<void> => {
      await reached;
      this.#patience = Math.min(2 * (performance.now() - began) + SLACK, HELD);
      this.#lost = 0;
    };
    void learn();
    if (this.#lost >= DOUBT) return;
    const over = Promise.withResolvers<void>();
    const ended = Promise.withResolvers<void>();
    frame.end = ended.resolve;
    const timers = [setTimeout(over.resolve, this.#patience), setTimeout(ended.resolve, LONGEST)];
    await Promise.race([reached, over.promise]);
    if (frame.infer === undefined) this.#lost++;
    else if (frame.models > 0) await ended.promise;
    for (const timer of timers) clearTimeout(timer);
  }
}

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
