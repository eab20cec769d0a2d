/** The admin routes of the running flow, asked over HTTP as the editor does. */
import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { redApi } from './red.ts';

export interface AdminServer {
  /** Serves the routes; after the flow has started. */
  open(): Promise<void>;
  close(): void;
  /** Asks for a path below `/m2fp/`; a POST is sent as JSON. */
  ask: <T>(path: string, method?: string, body?: object) => Promise<{ status: number; body: T }>;
}

export function adminServer(): AdminServer {
  let server: http.Server;
  return {
    async open() {
      server = http.createServer(redApi().httpAdmin as unknown as http.RequestListener);
      server.listen(0, '127.0.0.1');
      await once(server, 'listening');
    },
    close() {
      server.closeAllConnections();
      server.close();
    },
    async ask<T>(path: string, method = 'GET', body?: object) {
      const { port } = server.address() as AddressInfo;
      const response = await fetch(`http://127.0.0.1:${port}/m2fp/${path}`, {
        method,
        ...(method === 'POST' && { headers: { 'content-type': 'application/json' } }),
        ...(body && { body: JSON.stringify(body) }),
      });
      return { status: response.status, body: (await response.json()) as T };
    },
  };
}
