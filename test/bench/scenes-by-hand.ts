/** Scenes and results drawn with letters, for the tests of the evaluation. */
import {
  type FoundPart,
  type FoundPerson,
  type Mask,
  paint,
  type Prediction,
} from '../../bench/accuracy/prediction.ts';
import type { Truth } from '../../bench/accuracy/scenes.ts';

/** Values of "0012 3300": one digit a pixel; blanks only divide. */
export function digits(text: string): number[] {
  return text.replaceAll(' ', '').split('').map(Number);
}

export function mask(text: string): Mask {
  return Uint8Array.from(digits(text));
}

/** One row of pixels; each part of each person is an instance. */
export function truth(categories: string, persons: string): Truth {
  const labels = digits(categories);
  const people = digits(persons);
  return {
    width: labels.length,
    height: 1,
    categories: Uint16Array.from(labels),
    persons: Uint16Array.from(people),
    instances: Uint16Array.from(labels, (label, i) => (label === 0 ? 0 : people[i]! * 10 + label)),
  };
}

export function part(index: number, score: number, text: string, owner: number | null = null): FoundPart {
  return { index, score, mask: mask(text), person: owner };
}

/** A person whose own parsing is `labels`, with all of it as the mask unless given. */
export function person(score: number, labels: string, body = labels): FoundPerson {
  return { score, mask: mask(body), labels: Uint8Array.from(digits(labels)) };
}

export function prediction(
  pixels: number,
  found: { persons?: FoundPerson[]; parts?: FoundPart[] },
): Prediction {
  const { persons = [], parts = [] } = found;
  return { width: pixels, height: 1, persons, parts, labels: paint(parts, pixels) };
}

/** Asserts that a figure is `expected`, but for rounding. */
export function close(actual: number | null, expected: number): void {
  if (actual === null || !(Math.abs(actual - expected) < 1e-12)) {
    throw new Error(`expected ${expected}, got ${actual}`);
  }
}
