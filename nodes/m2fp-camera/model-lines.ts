/** The lines in which cameras stand, one for each model. */
import type { Node } from 'node-red';
import { FrameLine } from '../../src/camera/index.ts';
import { type ModelNode, modelOf } from '../common/model.ts';

const lines = new WeakMap<ModelNode, FrameLine>();

/** The line before the model of an infer node; undefined where there is none. @param infer that the last frame came to */
export function lineBefore(infer: Node | undefined): FrameLine | undefined {
  const model = infer && modelOf(infer);
  if (model === undefined) return undefined;
  let line = lines.get(model);
  // One frame more than there are processes: none of them waits while a frame is fetched.
  if (line === undefined) lines.set(model, (line = new FrameLine(() => model.atOnce() + 1)));
  return line;
}
