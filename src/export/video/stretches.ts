/** The frames of a video in pieces: one that is parsed, and those up to the next. */

export interface Stretch<Frame> {
  /** Is parsed. */
  first: Frame;
  others: Frame[];
}

/**
 * Every `every`th frame begins a stretch, and so does the last of all: between two parsed frames all others lie.
 * @param every 1 or more
 */
export async function* stretchesOf<Frame>(
  frames: AsyncIterable<Frame>,
  every: number,
): AsyncGenerator<Stretch<Frame>, void> {
  let stretch: Stretch<Frame> | undefined;
  for await (const frame of frames) {
    if (stretch !== undefined && stretch.others.length + 1 < every) {
      stretch.others.push(frame);
      continue;
    }
    if (stretch !== undefined) yield stretch;
    stretch = { first: frame, others: [] };
  }
  if (stretch === undefined) return;
  const last = stretch.others.pop();
  yield stretch;
  if (last !== undefined) yield { first: last, others: [] };
}
