/** What of a message is kept with its job. */
import type { NodeMessage } from 'node-red';

/** What belongs to the request, or is kept elsewhere. */
const OTHERS: readonly string[] = '_msgid req res payload headers statusCode error job webhook parsing'.split(
  ' ',
);

/** Characters of one property as JSON. */
const MAX_LENGTH = 65_536;

/** The properties that are plain JSON of no great size, without those of the request: what a flow has set for its nodes. */
export function keptOf(msg: NodeMessage): Record<string, unknown> {
  const kept = Object.entries(msg).filter(([name, value]) => !OTHERS.includes(name) && isSmallJson(value));
  const message = JSON.parse(JSON.stringify(Object.fromEntries(kept))) as Record<string, unknown>;
  const { m2fp } = message as { m2fp?: Record<string, unknown> | null };
  // What is for this node alone: to those that follow, it would be no option.
  if (typeof m2fp === 'object' && m2fp !== null) delete m2fp['job'];
  return message;
}

function isSmallJson(value: unknown): boolean {
  if (ArrayBuffer.isView(value)) return false;
  try {
    return (JSON.stringify(value) ?? '').length <= MAX_LENGTH;
  } catch {
    return false;
  }
}

/** The webhook that a client named, as the parsing request node hands it on, or a flow. */
export function webhookOf(msg: NodeMessage): unknown {
  const { m2fp, webhook } = msg as { m2fp?: { job?: { webhook?: unknown } } | null; webhook?: unknown };
  return m2fp?.job?.webhook ?? webhook;
}
