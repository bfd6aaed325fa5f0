// An HTTP server in; its real port, and a close that waits for no idle connection, out. Control, gateway, metadata and BigQuery call it.
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';

export type Listening = { port: number; close(): Promise<void> };

export async function listen(server: Server, port: number, host: string): Promise<Listening> {
  await new Promise<void>((done, fail) => server.once('error', fail).listen(port, host, done));
  return {
    port: (server.address() as AddressInfo).port,
    close: () => new Promise((done) => {
      server.close(() => done());
      server.closeAllConnections();
    }),
  };
}
