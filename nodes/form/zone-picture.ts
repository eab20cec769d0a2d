/** The picture under a zone editor: the next one that passes a node, or one from the user's disk. It stays in the browser. */
import type { Dollar } from './editor.ts';

/** Pixels of the longer side: to draw on, more is of no use. */
const MAX_SIDE = 800;

export interface BoardPicture {
  url: string;
  /** Width to height. */
  aspect: number;
}

/** What is used of the page besides. */
interface Page {
  createImageBitmap(blob: object): Promise<Bitmap>;
  document: { createElement(name: 'canvas'): Canvas };
}

interface Bitmap {
  width: number;
  height: number;
  close(): void;
}

interface Canvas {
  width: number;
  height: number;
  getContext(kind: '2d'): {
    drawImage(image: Bitmap, x: number, y: number, width: number, height: number): void;
  };
  toDataURL(type: 'image/jpeg', quality: number): string;
}

/** jQuery's ajax adds the user's token to requests for relative addresses; fetch does not have it. */
interface Ajax {
  ajax(request: { url: string; type: 'GET'; xhrFields: { responseType: 'blob' } }): Pending;
}

interface Pending extends PromiseLike<unknown> {
  abort(): void;
}

const page = globalThis as unknown as Page;

/** A scaled copy of a picture of the disk. @throws where the browser reads no picture in it */
export async function pictureOfFile(file: object): Promise<BoardPicture> {
  const bitmap = await page.createImageBitmap(file);
  try {
    const scale = Math.min(1, MAX_SIDE / Math.max(bitmap.width, bitmap.height));
    const canvas = page.document.createElement('canvas');
    canvas.width = Math.max(1, Math.round(bitmap.width * scale));
    canvas.height = Math.max(1, Math.round(bitmap.height * scale));
    canvas.getContext('2d').drawImage(bitmap, 0, 0, canvas.width, canvas.height);
    return { url: canvas.toDataURL('image/jpeg', 0.85), aspect: bitmap.width / bitmap.height };
  } finally {
    bitmap.close();
  }
}

/** What asking a node for its next picture gives: the picture, or why there is none. */
export type NodePicture = BoardPicture | 'none' | 'notDeployed' | 'failed';

/**
 * Asks a deployed node for the next picture that passes it; it waits for some time.
 * @param id of the node in the editor
 * @returns the answer, and the function that gives up waiting
 */
export function pictureOfNode($: Dollar, id: string): { answer: Promise<NodePicture>; cancel: () => void } {
  const request = ($ as unknown as Ajax).ajax({
    url: `m2fp/pictures/${encodeURIComponent(id)}`,
    type: 'GET',
    xhrFields: { responseType: 'blob' },
  });
  const answer = async (): Promise<NodePicture> => {
    try {
      const blob = (await request) as (object & { size: number }) | undefined;
      // 204: none has passed.
      return blob === undefined || blob.size === 0 ? 'none' : await pictureOfFile(blob);
    } catch (error) {
      return (error as { status?: number }).status === 404 ? 'notDeployed' : 'failed';
    }
  };
  return { answer: answer(), cancel: () => request.abort() };
}
