/** The result of parsing one picture. Plain data and Buffers: it travels as `msg.parsing`. */

/** Pixels; `x`, `y` is the top left corner. */
export interface Box {
  x: number;
  y: number;
  width: number;
  height: number;
}

/** COCO's compressed run-length encoding, column-major; pycocotools reads it. `size` is [height, width]. */
export interface Rle {
  size: [number, number];
  counts: string;
}

/** One connected region of a mask. Coordinates are those of pixel corners: the picture spans 0 to its width and height. */
export interface MaskPolygon {
  /** Its border: x, y, x, y, …; clockwise as one looks at the picture, the last corner not repeated. */
  outer: number[];
  /** The borders of its holes, the other way round. */
  holes: number[][];
}

export interface Person {
  /** 1 for the first person; the value in `personMap`. Doubtful ones go on counting, and are in no map. */
  id: number;
  score: number;
  box: Box;
  /** Pixels of `mask`. */
  area: number;
  mask: Rle;
  /** The outlines of `mask`, largest region first; absent where nobody asked for them. */
  polygons?: MaskPolygon[];
}

export interface Part {
  /** 1 for the first part; doubtful ones go on counting. */
  id: number;
  label: string;
  /** Index of `label` in `labels`. */
  index: number;
  /**
   * The person it belongs to; null where none claims it. A part of `parts` belongs to one of `persons` or to nobody, a
   * doubtful part to one of either list.
   */
  person: number | null;
  score: number;
  box: Box;
  area: number;
  mask: Rle;
  /** As of a person. */
  polygons?: MaskPolygon[];
}

/** Milliseconds. */
export interface Timing {
  /** In the line. With workers on other machines: `total` without the other four, the way there and back included. */
  queue: number;
  decode: number;
  preprocess: number;
  inference: number;
  postprocess: number;
  total: number;
}

/** What was found, but with a score below the minimum that was asked for. Only redact looks at it, to hide it too. */
export interface Doubtful {
  persons: Person[];
  parts: Part[];
}

export interface Parsing {
  /** The source picture, encoded, as it came in. */
  image: Buffer;
  /** Size of the EXIF-turned source, pixels. */
  width: number;
  height: number;
  /**
   * Size at which the network saw the picture, pixels, without padding: how fine a mask can be. Absent in what an older
   * version stored.
   */
  network?: { width: number; height: number };
  /** Label index -> name. */
  labels: string[];
  /** width * height bytes, row-major: label index of each pixel, by the instances of `parts`. */
  labelMap: Buffer;
  /** width * height bytes, row-major: 0 nobody, n = the person of `persons` whose id is n. */
  personMap: Buffer;
  /** Those that score the minimum. */
  persons: Person[];
  /** Those that score the minimum. */
  parts: Part[];
  /** The others, down to the model's own threshold; empty where that is the minimum. */
  doubtful: Doubtful;
  model: { id: string; digest: string; precision: string; provider: string };
  cached: boolean;
  timing: Timing;
}

/** What the network's output is filtered and scaled by; absent = the model's own. */
export interface ParseOptions {
  /** Sizes for a `short-side` model, pixels. */
  shortSide?: number;
  longSide?: number;
  /**
   * The minimum score, 0.1 to 1: parts and persons below it are doubtful, and the label map shows all that reach it.
   * Absent: ModelScope's rules (parts and persons from 0.1, none of them doubtful, the label map from the model's own
   * threshold).
   */
  scoreThreshold?: number;
  /**
   * Flip test-time augmentation: whether the mirrored picture is parsed too, and both results become one, as in M2FP's
   * published figures (see src/parsing/postprocess/flip.ts). Steadier outlines and labels for twice the time of the network, which
   * `timing.inference` tells and which counts for the engine's time limit. Default false.
   */
  flip?: boolean;
}
