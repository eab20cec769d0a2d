/** The way of a camera's frames to a model, before which cameras stand in line. */
import type { NodeAPI, NodeMessage } from 'node-red';
import { FrameLine } from '../../src/camera/index.ts';
import { codeOf } from '../common/failure.ts';
import { type Aliased, comesTo, storedNodes } from '../common/flow-graph.ts';
import { chosenModel, type ModelNode, modelOf } from '../common/model.ts';
import { FlowWatch } from './flow-watch.ts';

/** Milliseconds that a camera rests when a model has failed, twice as long each time, and at most. */
const REST = 500;
const LONGEST_REST = 5000;

const lines = new WeakMap<ModelNode, FrameLine>();

export class FrameWay {
  readonly #watch: FlowWatch;
  /** To which the last frame came; before the first one, that to which wires lead. */
  #model: ModelNode | undefined;
  /** Frames with which the model failed, one after the other. */
  #failures = 0;

  /** Where the flows run already: they tell where wires lead. */
  constructor(RED: NodeAPI, camera: Aliased) {
    const { hasModel, model } = modelBehind(RED, camera);
    this.#model = model;
    this.#watch = new FlowWatch(hasModel);
  }

  /** The line before the model. */
  get line(): FrameLine | undefined {
    return this.#model && lineBefore(this.#model);
  }

  /**
   * See {@link FlowWatch.send}.
   * @returns milliseconds for which no frame is wanted: a model that fails would fail again, with a line in the log each time
   */
  async send(msg: NodeMessage & { _msgid: string }, send: () => void, onModel: () => void): Promise<number> {
    const { infer, error } = await this.#watch.send(msg, send, onModel);
    this.#model = infer && modelOf(infer);
    const code = codeOf(error);
    // A deploy cancels what is on its way.
    if (error === undefined || code === 'M2FP_CANCELLED') this.#failures = 0;
    // One that is busy works: who rested longer and longer would never find it free.
    else if (code === 'M2FP_BUSY') this.#failures = 1;
    else this.#failures++;
    return this.#failures === 0 ? 0 : Math.min(REST * 2 ** (this.#failures - 1), LONGEST_REST);
  }
}

function lineBefore(model: ModelNode): FrameLine {
  let line = lines.get(model);
  // One frame more than there are processes: none of them waits while a frame is fetched.
  if (line === undefined) lines.set(model, (line = new FrameLine(() => model.atOnce() + 1)));
  return line;
}

/** Whether frames may come to an infer node, and to which model then. */
function modelBehind(RED: NodeAPI, camera: Aliased): { hasModel: boolean; model?: ModelNode | undefined } {
  const stored = storedNodes(RED);
  const own = stored.get(camera._alias ?? camera.id);
  let chosen: string | undefined;
  const isInfer = ({ type, model }: { type: string; model?: string }): boolean => {
    if (type !== 'm2fp-infer') return false;
    chosen = model;
    return true;
  };
  const frames = own && { ...own, wires: (own.wires ?? []).slice(0, 1) };
  return comesTo(frames, isInfer, stored)
    ? { hasModel: true, model: chosenModel(RED, chosen) }
    : { hasModel: false };
}
