/** A disk that becomes full: what Node.js writes fails from some byte on, as no test can fill a real one without root. */
import fs, { type FileHandle } from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';

type Write = (this: unknown, target: unknown, ...more: unknown[]) => Promise<unknown>;

/** Does `work` on a disk that takes `bytes` more; ended, it takes everything again. */
export async function onDiskWith<T>(bytes: number, work: () => Promise<T>): Promise<T> {
  const file = await fs.open(import.meta.filename);
  const handles = Object.getPrototypeOf(file) as FileHandle;
  await file.close();
  let room = bytes;
  const take = (data: unknown): void => {
    room -= Buffer.byteLength(data as string | Uint8Array);
    if (room < 0)
      throw Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });
  };
  const restore = [
    replace(
      handles,
      'appendFile',
      (write) =>
        async function (data, ...more) {
          take(data);
          return write.call(this, data, ...more);
        },
    ),
    replace(
      fs,
      'writeFile',
      (write) =>
        async function (path, data, ...more) {
          take(data);
          return write.call(this, path, data, ...more);
        },
    ),
  ];
  syncBuiltinESMExports();
  try {
    return await work();
  } finally {
    for (const undo of restore) undo();
    syncBuiltinESMExports();
  }
}

/** Returns what puts the former function back. */
function replace(owner: object, name: string, by: (former: Write) => Write): () => void {
  const former = Object.getOwnPropertyDescriptor(owner, name)!;
  Object.defineProperty(owner, name, { ...former, value: by(former.value as Write) });
  return () => void Object.defineProperty(owner, name, former);
}
