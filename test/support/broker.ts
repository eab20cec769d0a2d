/** An MQTT broker of the test's own. */
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { Aedes } from 'aedes';

export interface Broker {
  /** Tells what its clients do. */
  broker: Aedes;
  port: number;
  close(): Promise<void>;
}

/** Resolves when it listens on a free port of this machine. */
export async function startBroker(): Promise<Broker> {
  const broker = await Aedes.createBroker();
  const server = createServer(broker.handle).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    broker,
    port: (server.address() as AddressInfo).port,
    close: async () => {
      await new Promise<void>((resolve) => broker.close(() => resolve()));
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
