// Takes a function's requests from Node's HTTP server itself: in goes the handler, out comes nothing. Called once by a function.ts.
// functions-framework hosts the process (port, loading, registration), but its Express app, its five body parsers and its
// `domain` cost more CPU than a batch of events does, and the parsers inflate without limit before the handler runs. Node's public
// diagnostics channel names the server before the first request is handed out; from then on the handler is that server's only
// listener. Should the channel be silent one day, Express would have read the body first: readRawBody answers that with 503.
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';

const CHANNEL = 'http.server.request.start';

export type DirectHandler = (request: IncomingMessage, response: ServerResponse) => void | Promise<void>;

/** `atFirst` runs before the first request is handled: the framework adds its signal handlers after loading the function. */
export function serveDirectly(handler: DirectHandler, atFirst: () => void = () => undefined): void {
  const take = (message: unknown): void => {
    unsubscribe(CHANNEL, take);
    const { server } = message as { server: Server };
    server.removeAllListeners('request');
    // A rejected promise would be an error that no request caught; every handler answers its own.
    server.on('request', (request: IncomingMessage, response: ServerResponse) => void handler(request, response));
    atFirst();
  };
  subscribe(CHANNEL, take);
}
