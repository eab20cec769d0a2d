/** A Buffer after `JSON.parse(JSON.stringify(buffer))`. */
export interface JsonBuffer {
  type: 'Buffer';
  /** What was sent may be anything. */
  data: unknown[];
}

export function isJsonBuffer(value: unknown): value is JsonBuffer {
  if (typeof value !== 'object' || value === null) return false;
  const { type, data } = value as Partial<JsonBuffer>;
  return type === 'Buffer' && Array.isArray(data);
}
