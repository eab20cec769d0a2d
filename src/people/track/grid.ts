/** Masks in a coarse grid over the picture: small enough to be laid over one another for every pair of people. */
import { rleToRuns } from '../../parsing/masks/rle.ts';
import type { Box, Rle } from '../../parsing/types.ts';

/** Cells of the longer side. */
const CELLS = 256;

/** A grid over a picture; each cell stands for the pixel in its middle. */
export interface Grid {
  /** Cells. */
  width: number;
  height: number;
  /** Of the picture, pixels. */
  picture: { width: number; height: number };
  /** For each column of the picture its column of cells, -1 where no cell has its middle. */
  columnOf: Int16Array;
  /** For each row of the picture, and the one below the last, the number of rows of cells above it. */
  rowsAbove: Int16Array;
  /** For each cell the number of its pixel, row by row. */
  pixels: Uint32Array;
}

/** A mask in a grid: a window of cells, row by row, 1 where it is. */
export interface Shape {
  x: number;
  y: number;
  width: number;
  height: number;
  cells: Uint8Array;
  /** Cells that are 1. */
  area: number;
}

/** @param width, height of the picture, pixels */
export function gridOf(width: number, height: number): Grid {
  const scale = Math.max(1, Math.max(width, height) / CELLS);
  const columns = Math.max(1, Math.round(width / scale));
  const rows = Math.max(1, Math.round(height / scale));
  const middle = (cell: number, cells: number, pixels: number): number =>
    Math.floor(((cell + 0.5) * pixels) / cells);
  const columnOf = new Int16Array(width).fill(-1);
  for (let x = 0; x < columns; x++) columnOf[middle(x, columns, width)] = x;
  const rowsAbove = new Int16Array(height + 1);
  for (let y = 0; y < rows; y++) rowsAbove[middle(y, rows, height) + 1]!++;
  for (let y = 0; y < height; y++) rowsAbove[y + 1]! += rowsAbove[y]!;
  const pixels = new Uint32Array(columns * rows);
  for (let y = 0, at = 0; y < rows; y++) {
    const row = middle(y, rows, height) * width;
    for (let x = 0; x < columns; x++) pixels[at++] = row + middle(x, columns, width);
  }
  return { width: columns, height: rows, picture: { width, height }, columnOf, rowsAbove, pixels };
}

/**
 * What masks cover together.
 * @param box around all of them, pixels
 * @throws {M2fpError} `M2FP_NO_PARSING` where a mask is damaged
 */
export function shapeOf(masks: readonly Rle[], box: Box, grid: Grid): Shape {
  const { width: pictureWidth, height: pictureHeight } = grid.picture;
  const x = Math.min(Math.floor((box.x * grid.width) / pictureWidth), grid.width - 1);
  const y = Math.min(Math.floor((box.y * grid.height) / pictureHeight), grid.height - 1);
  const right = Math.min(Math.ceil(((box.x + box.width) * grid.width) / pictureWidth), grid.width);
  const bottom = Math.min(Math.ceil(((box.y + box.height) * grid.height) / pictureHeight), grid.height);
  const width = Math.max(1, right - x);
  const height = Math.max(1, bottom - y);
  const cells = new Uint8Array(width * height);
  for (const mask of masks) {
    const runs = rleToRuns(mask);
    for (let i = 0; i < runs.length; i += 2) {
      let column = Math.floor(runs[i]! / pictureHeight);
      let top = runs[i]! - column * pictureHeight;
      for (let left = runs[i + 1]! - runs[i]!; left > 0; column++, top = 0) {
        const end = Math.min(pictureHeight, top + left);
        left -= end - top;
        const at = grid.columnOf[column]! - x;
        if (at < 0 || at >= width) continue;
        const to = Math.min(grid.rowsAbove[end]! - y, height);
        for (let row = Math.max(grid.rowsAbove[top]! - y, 0); row < to; row++) cells[row * width + at] = 1;
      }
    }
  }
  let area = 0;
  for (const cell of cells) area += cell;
  // Somebody so small or thin that no cell has its middle in him.
  if (area === 0) area = cells.fill(1).length;
  return { x, y, width, height, cells, area };
}

/** A piece of a mask of this share of its largest piece is no speck, wherever it lies: somebody behind a pole has two halves. */
const HALF = 0.4;
/** Smaller ones belong to it where the gap is no longer than this share of the largest's longer side. */
const GAP = 0.6;

/** The window of a connected piece of a mask, and its cells. */
interface Piece {
  left: number;
  top: number;
  right: number;
  bottom: number;
  area: number;
}

/** A shape without the specks far from it that networks give to people, and that make their boxes useless. */
export function withoutSpecks(shape: Shape): Shape {
  const { pieceOf, pieces } = piecesOf(shape);
  if (pieces.length === 1) return trimmed(shape, shape.cells, pieces);
  const largest = pieces.reduce((best, piece) => (piece.area > best.area ? piece : best));
  const reach = GAP * Math.max(largest.right - largest.left, largest.bottom - largest.top);
  const isKept = pieces.map(
    (piece) => piece.area >= HALF * largest.area || gapBetween(piece, largest) <= reach,
  );
  const cells = shape.cells.map((cell, at) => (cell === 1 && isKept[pieceOf[at]! - 1] ? 1 : 0));
  return trimmed(
    shape,
    cells,
    pieces.filter((_, index) => isKept[index]),
  );
}

/** The connected pieces of a shape, and for each cell the number of its piece from 1. */
function piecesOf({ width, height, cells }: Shape): { pieceOf: Uint16Array; pieces: Piece[] } {
  const pieceOf = new Uint16Array(width * height);
  const pieces: Piece[] = [];
  const open: number[] = [];
  for (let start = 0; start < pieceOf.length; start++) {
    if (cells[start] === 0 || pieceOf[start] !== 0) continue;
    const piece: Piece = { left: width, top: height, right: 0, bottom: 0, area: 0 };
    const number = pieces.push(piece);
    pieceOf[start] = number;
    open.push(start);
    for (let at = open.pop(); at !== undefined; at = open.pop()) {
      const x = at % width;
      const y = (at - x) / width;
      piece.area++;
      piece.left = Math.min(piece.left, x);
      piece.right = Math.max(piece.right, x + 1);
      piece.top = Math.min(piece.top, y);
      piece.bottom = Math.max(piece.bottom, y + 1);
      for (let row = Math.max(y - 1, 0); row <= Math.min(y + 1, height - 1); row++) {
        for (let column = Math.max(x - 1, 0); column <= Math.min(x + 1, width - 1); column++) {
          const next = row * width + column;
          if (cells[next] === 0 || pieceOf[next] !== 0) continue;
          pieceOf[next] = number;
          open.push(next);
        }
      }
    }
  }
  return { pieceOf, pieces };
}

/** Cells between the windows of two pieces, 0 where they meet. */
function gapBetween(a: Piece, b: Piece): number {
  return Math.max(a.left - b.right, b.left - a.right, a.top - b.bottom, b.top - a.bottom, 0);
}

/** The window around some pieces. */
function trimmed(shape: Shape, cells: Uint8Array, pieces: readonly Piece[]): Shape {
  const left = Math.min(...pieces.map((piece) => piece.left));
  const top = Math.min(...pieces.map((piece) => piece.top));
  const width = Math.max(...pieces.map((piece) => piece.right)) - left;
  const height = Math.max(...pieces.map((piece) => piece.bottom)) - top;
  const kept = new Uint8Array(width * height);
  for (let y = 0; y < height; y++) {
    const from = (top + y) * shape.width + left;
    kept.set(cells.subarray(from, from + width), y * width);
  }
  const area = pieces.reduce((sum, piece) => sum + piece.area, 0);
  return { x: shape.x + left, y: shape.y + top, width, height, cells: kept, area };
}

/** The part of a box that the window of a shape covers, pixels. */
export function boxAround({ x, y, width, height }: Shape, grid: Grid, box: Box): Box {
  const across = grid.picture.width / grid.width;
  const down = grid.picture.height / grid.height;
  const left = Math.max(Math.floor(x * across), box.x);
  const top = Math.max(Math.floor(y * down), box.y);
  const right = Math.min(Math.ceil((x + width) * across), box.x + box.width);
  const bottom = Math.min(Math.ceil((y + height) * down), box.y + box.height);
  return { x: left, y: top, width: Math.max(right - left, 1), height: Math.max(bottom - top, 1) };
}

/** Cells that both cover, over cells that either does, 0 to 1, with `a` moved by whole cells. */
export function shapeOverlap(a: Shape, b: Shape, dx = 0, dy = 0): number {
  const left = Math.max(a.x + dx, b.x);
  const top = Math.max(a.y + dy, b.y);
  const right = Math.min(a.x + dx + a.width, b.x + b.width);
  const bottom = Math.min(a.y + dy + a.height, b.y + b.height);
  let both = 0;
  for (let y = top; y < bottom; y++) {
    let inA = (y - a.y - dy) * a.width + left - a.x - dx;
    let inB = (y - b.y) * b.width + left - b.x;
    for (let x = left; x < right; x++) both += a.cells[inA++]! & b.cells[inB++]!;
  }
  return both / (a.area + b.area - both);
}
