/**
 * When the flow is done with a frame. Node-RED has no way back from a node to the one before, but its hooks tell of every message
 * that a node gets, and of every one that it is done with; a message keeps its id on its way, and so do its copies.
 */
import { setImmediate } from 'node:timers/promises';
import type { Node, NodeAPI, NodeMessage } from 'node-red';

/** Milliseconds after which a frame counts as done in any case: some nodes never say that they are. */
const LONGEST = 60_000;

/** Milliseconds that a node may keep it that never says that it is done, as the switch node: either it sends it on by then, or drops it. */
const SILENCE = 1000;

const MODEL = 'm2fp-infer';
const LABEL = 'm2fp-camera';

interface Watched {
  /** Nodes that have it, and how many of them are models. */
  holders: number;
  models: number;
  /** The first infer node that it came to. */
  infer?: Node;
  /** Runs while a node may have it that does not say when it is done. */
  silence: NodeJS.Timeout | undefined;
  end: () => void;
}

interface HookedNode {
  id: string;
  /** `_expectedDoneCount`: 0 where none of its listeners takes a `done`. */
  node: Node & { _expectedDoneCount?: number };
}

/** By the messages' ids, of all cameras. */
const watched = new Map<string, Watched>();
/** Cameras that listen: Node-RED's hooks cost every message a little, so there are none without a camera. */
let listeners = 0;

/** To be called before {@link sendAndWatch}; returns the function that ends it. */
export function listenToFlow(RED: Pick<NodeAPI, 'hooks'>): () => void {
  if (listeners++ === 0) listen(RED);
  return () => {
    if (--listeners === 0) RED.hooks.remove(`*.${LABEL}`);
  };
}

/**
 * Sends `msg`, and resolves when a model is done with it and no other model has it; where none gets it, when no node has it any more.
 * @param send called at once
 * @returns the infer node that it came to first; undefined: none
 * @throws what `send` throws
 */
export async function sendAndWatch(
  msg: NodeMessage & { _msgid: string },
  send: () => void,
): Promise<Node | undefined> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const frame: Watched = { holders: 0, models: 0, silence: undefined, end: resolve };
  watched.set(msg._msgid, frame);
  const timer = setTimeout(resolve, LONGEST);
  timer.unref();
  try {
    send();
    void endIfNobodyHas(frame);
    await promise;
    return frame.infer;
  } finally {
    clearTimeout(timer);
    clearTimeout(frame.silence);
    watched.delete(msg._msgid);
  }
}

function listen({ hooks }: Pick<NodeAPI, 'hooks'>): void {
  hooks.add(`onReceive.${LABEL}`, ({ msg, destination }: { msg: NodeMessage; destination: HookedNode }) => {
    const frame = watched.get(msg._msgid ?? '');
    if (frame === undefined) return;
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
  });
  hooks.add(`onComplete.${LABEL}`, ({ msg, node }: { msg: NodeMessage; node: HookedNode }) => {
    const frame = watched.get(msg?._msgid ?? '');
    if (frame === undefined || node.node._expectedDoneCount === 0) return;
    frame.holders--;
    if (node.node.type === MODEL && --frame.models <= 0) frame.end();
    else void endIfNobodyHas(frame);
  });
}

/** A node says that it is done before the next one gets what it sent: that happens in the next turn. */
async function endIfNobodyHas(frame: Watched): Promise<void> {
  for (let turn = 0; turn < 2; turn++) {
    if (frame.holders > 0 || frame.silence) return;
    await setImmediate();
  }
  if (frame.holders <= 0 && !frame.silence) frame.end();
}
