/** What an editor that is open shows of the debug nodes. */
import { once } from 'node:events';

/** The messages of the debug nodes, as the editor's sidebar gets them. */
export async function debugSidebar(url: string) {
  const socket = new WebSocket(`${url.replace('http', 'ws')}/comms`);
  const messages: { id: string; msg: string }[] = [];
  const arrived = new EventTarget();
  socket.addEventListener('message', ({ data }) => {
    const all: unknown = JSON.parse(String(data));
    for (const { topic, data: message } of [all].flat() as { topic: string; data: (typeof messages)[0] }[]) {
      if (topic === 'debug') messages.push(message);
    }
    arrived.dispatchEvent(new Event('message'));
  });
  await once(socket, 'open');
  socket.send(JSON.stringify({ subscribe: 'debug' }));
  return {
    /** Resolves with the texts of node `id` when there are `count` of them. */
    async texts(id: string, count: number): Promise<string[]> {
      const own = () => messages.filter((message) => message.id === id).map(({ msg }) => msg);
      while (own().length < count) await once(arrived, 'message');
      return own();
    },
    /** Resolves with the first text of node `id` that `wanted` accepts. */
    async text(id: string, wanted: (text: string) => boolean): Promise<string> {
      for (;;) {
        const found = (await this.texts(id, 0)).find(wanted);
        if (found !== undefined) return found;
        await once(arrived, 'message');
      }
    },
    close: () => socket.close(),
  };
}
