/**
 * Section by section what M2FP's post-processing computes, in the plainest form: whole pictures, one step after
 * the other, float32 between the steps as PyTorch has it. What src/parsing does fast is compared with this.
 */

/** [channels, height, width], row-major. */
export interface Planes {
  data: Float32Array;
  channels: number;
  height: number;
  width: number;
}

/** For each output position of an axis the two input positions it lies between, and the weight of the second. */
function sources(inSize: number, outSize: number) {
  const scale = Math.fround(inSize / outSize);
  return Array.from({ length: outSize }, (_, at) => {
    const position = Math.max(0, Math.fround(Math.fround(scale * (at + 0.5)) - 0.5));
    const low = Math.min(Math.floor(position), inSize - 1);
    return { low, high: Math.min(low + 1, inSize - 1), weight: position - low };
  });
}

/** torch.nn.functional.interpolate(mode='bilinear', align_corners=False) to height x width. */
export function interpolate(planes: Planes, height: number, width: number): Planes {
  const data = new Float32Array(planes.channels * height * width);
  const rows = sources(planes.height, height);
  const columns = sources(planes.width, width);
  for (let c = 0; c < planes.channels; c++) {
    const value = (y: number, x: number) => planes.data[(c * planes.height + y) * planes.width + x]!;
    for (let y = 0; y < height; y++) {
      const v = rows[y]!;
      for (let x = 0; x < width; x++) {
        const h = columns[x]!;
        const top = (1 - h.weight) * value(v.low, h.low) + h.weight * value(v.low, h.high);
        const bottom = (1 - h.weight) * value(v.high, h.low) + h.weight * value(v.high, h.high);
        data[(c * height + y) * width + x] = (1 - v.weight) * top + v.weight * bottom;
      }
    }
  }
  return { data, channels: planes.channels, height, width };
}

export function crop(planes: Planes, box: { x: number; y: number; width: number; height: number }): Planes {
  const data = new Float32Array(planes.channels * box.height * box.width);
  for (let c = 0, to = 0; c < planes.channels; c++) {
    for (let y = 0; y < box.height; y++) {
      for (let x = 0; x < box.width; x++, to++) {
        data[to] = planes.data[(c * planes.height + box.y + y) * planes.width + box.x + x]!;
      }
    }
  }
  return { data, channels: planes.channels, height: box.height, width: box.width };
}

export function sigmoid(x: number): number {
  return 1 / (1 + Math.exp(-x));
}

/** Softmax of every row without its last column: [queries, classes]. */
export function probabilities(logits: Float32Array, queries: number, classes: number): number[][] {
  return Array.from({ length: queries }, (_, q) => {
    const row = [...logits.subarray(q * (classes + 1), (q + 1) * (classes + 1))];
    const max = Math.max(...row);
    const sum = row.reduce((total, logit) => total + Math.exp(logit - max), 0);
    return row.slice(0, -1).map((logit) => Math.exp(logit - max) / sum);
  });
}

export interface ReferenceInstance {
  query: number;
  index: number;
  score: number;
  /** Row-major, width * height. */
  mask: Uint8Array;
  logits: Float32Array;
}

/** The hundred best (query, class) pairs with masks at the picture's size, none left out. */
export function instances(
  logits: Float32Array,
  masks: Planes,
  classes: number,
  network: { width: number; height: number },
  source: { width: number; height: number },
): ReferenceInstance[] {
  const padded = interpolate(masks, masks.height * 4, masks.width * 4);
  const cropped = crop(padded, { x: 0, y: 0, ...network });
  const full = interpolate(cropped, source.height, source.width);
  const pixels = source.width * source.height;
  const pairs = probabilities(logits, masks.channels, classes)
    .flatMap((row, query) => row.map((p, index) => ({ query, index, p })))
    .toSorted((a, b) => b.p - a.p)
    .slice(0, 100);
  return pairs.map(({ query, index, p }) => {
    const plane = full.data.subarray(query * pixels, (query + 1) * pixels);
    const mask = Uint8Array.from(plane, (m) => (m > 0 ? 1 : 0));
    let sum = 0;
    let count = 0;
    for (const m of plane) {
      if (m > 0) {
        sum += sigmoid(m);
        count++;
      }
    }
    return { query, index, score: (p * sum) / (count + 1e-6), mask, logits: plane };
  });
}

/**
 * The argmax of M2FP's per-class map, and at each pixel the margin by which it is what it is: the best class's
 * lead, or less where an instance is closer than that to the bar for its logit or its confidence.
 */
export function labelMap(
  found: readonly ReferenceInstance[],
  classes: number,
  pixels: number,
  rule: { minScore: number; minConfidence: number },
): { labels: Uint8Array; margins: Float64Array } {
  const margins = new Float64Array(pixels).fill(Infinity);
  const maps = Array.from({ length: classes }, () => ({
    sum: new Float64Array(pixels),
    count: new Uint16Array(pixels),
  }));
  for (const { index, score, logits } of found) {
    if (index >= classes || score < rule.minScore) continue;
    const map = maps[index]!;
    for (let i = 0; i < pixels; i++) {
      const t = sigmoid(logits[i]!) * score;
      margins[i] = Math.min(margins[i]!, Math.abs(logits[i]!));
      if (!(logits[i]! > 0)) continue;
      margins[i] = Math.min(margins[i]!, Math.abs(t - rule.minConfidence));
      if (t > rule.minConfidence) {
        map.sum[i]! += t;
        map.count[i]!++;
      }
    }
  }
  const labels = new Uint8Array(pixels);
  for (let i = 0; i < pixels; i++) {
    const values = maps.map(({ sum, count }) => sum[i]! / Math.max(count[i]!, 1));
    const best = Math.max(...values);
    labels[i] = values.indexOf(best);
    const others = Math.max(...values.filter((_, c) => c !== labels[i]));
    if (best > 0) margins[i] = Math.min(margins[i]!, best - others);
  }
  return { labels, margins };
}

/** s_c = sum over queries of p(q, c) * sigmoid(m_q) at the padded size: what the single-human graph ends with. */
export function semanticMap(logits: Float32Array, masks: Planes, classes: number): Planes {
  const p = probabilities(logits, masks.channels, classes);
  const padded = interpolate(masks, masks.height * 4, masks.width * 4);
  const pixels = padded.height * padded.width;
  const data = new Float32Array(classes * pixels);
  for (let q = 0; q < masks.channels; q++) {
    for (let i = 0; i < pixels; i++) {
      const inside = sigmoid(padded.data[q * pixels + i]!);
      for (let c = 0; c < classes; c++) data[c * pixels + i]! += p[q]![c]! * inside;
    }
  }
  return { data, channels: classes, height: padded.height, width: padded.width };
}

/** Single-human: class values of every pixel of the source, their argmax and ModelScope's scores. */
export function semantic(
  map: Planes,
  box: { x: number; y: number; width: number; height: number },
  source: { width: number; height: number },
) {
  const full = interpolate(crop(map, box), source.height, source.width);
  const pixels = source.width * source.height;
  const labels = new Uint8Array(pixels);
  const leads = new Float64Array(pixels);
  const sums = new Float64Array(map.channels);
  const areas = new Float64Array(map.channels);
  for (let i = 0; i < pixels; i++) {
    let label = 0;
    let best = -Infinity;
    let second = -Infinity;
    for (let c = 0; c < map.channels; c++) {
      const value = full.data[c * pixels + i]!;
      if (value > best) {
        second = best;
        best = value;
        label = c;
      } else {
        second = Math.max(second, value);
      }
    }
    labels[i] = label;
    leads[i] = best - second;
    sums[label]! += sigmoid(best);
    areas[label]!++;
  }
  return { labels, leads, areas, scores: sums.map((sum, c) => sum / (areas[c]! + 1)) };
}

/** Pixels in both / pixels in either; 1 for two empty masks. */
export function iou(a: Uint8Array, b: Uint8Array): number {
  let both = 0;
  let either = 0;
  for (let i = 0; i < a.length; i++) {
    both += a[i]! & b[i]!;
    either += a[i]! | b[i]!;
  }
  return either === 0 ? 1 : both / either;
}
