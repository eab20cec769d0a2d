import assert from 'node:assert/strict';
import { unpickle } from '../../../src/checkpoint/unpickle.ts';
import { pickle, type Part } from '../../support/pickle-writer.ts';
import { isInvalid } from './files.ts';

/** The value of a pickle that consists of these parts. */
export const read = (...value: Part[]) => unpickle(pickle(...value), 'm.pt: data.pkl').value;

/** Checks that a pickle is refused for this reason, at this byte. */
export function refuses(value: Part | Part[], reason: RegExp, at?: number): void {
  assert.throws(
    () => read(...(Array.isArray(value) ? value : [value])),
    isInvalid(
      /^m\.pt: data\.pkl /,
      reason,
      at === undefined ? /at byte \d+/ : new RegExp(`at byte ${at}\\b`),
    ),
  );
}
