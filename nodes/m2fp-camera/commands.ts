/** What a message asks of the camera. */
import type { NodeMessage } from 'node-red';
import { M2fpError } from '../../src/errors.ts';
import { show } from '../../src/parsing/options/options.ts';

export type Command = 'start' | 'stop' | 'next';

const COMMANDS: Readonly<Record<string, Command>> = {
  start: 'start',
  stop: 'stop',
  next: 'next',
  snapshot: 'next',
};

/**
 * @param isManual whether every frame is asked for: then any other message asks for one
 * @throws {M2fpError} `M2FP_BAD_OPTION`
 */
export function commandOf({ payload }: NodeMessage, isManual: boolean): Command {
  const word = typeof payload === 'string' ? payload.trim().toLowerCase() : '';
  if (Object.hasOwn(COMMANDS, word)) return COMMANDS[word]!;
  if (isManual) return 'next';
  throw new M2fpError(
    'M2FP_BAD_OPTION',
    `msg.payload is ${show(payload)}: the camera understands "start", "stop" and "next".`,
  );
}
