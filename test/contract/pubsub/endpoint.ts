// A push endpoint on this machine that remembers what it got and answers what the case says. Only cases that need 'loopback' open one.
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';

export type Push = { method: string; path: string; headers: IncomingHttpHeaders; body: Buffer; text: string; atMs: number };
export type PushEndpoint = {
  url: string;
  pushes: Push[];
  /** What to answer: a status, now or later; 'silence' never answers. Changed at will. */
  answer: (push: Push, number: number) => number | 'silence' | Promise<number | 'silence'>;
  /** Requests that are not answered yet. */
  underWay: number;
  close(): Promise<void>;
};

type Wrapped = { message: { data?: string; messageId: string; attributes?: Record<string, string> }; subscription: string; deliveryAttempt?: number };
export const wrapped = ({ text }: Push): Wrapped => JSON.parse(text) as Wrapped;
/** The data of a wrapped message as text. */
export const pushedText = (push: Push): string => Buffer.from(wrapped(push).message.data ?? '', 'base64').toString('utf8');

/** Opens one, runs, and closes it whatever happens. */
export async function withEndpoint(run: (endpoint: PushEndpoint) => Promise<void>): Promise<void> {
  const endpoint = await openEndpoint();
  try {
    await run(endpoint);
  } finally {
    await endpoint.close();
  }
}

export async function openEndpoint(): Promise<PushEndpoint> {
  const endpoint: PushEndpoint = { url: '', pushes: [], answer: () => 204, underWay: 0, close: async () => {} };
  const server = createServer(async (request, response) => {
    endpoint.underWay += 1;
    response.once('close', () => { endpoint.underWay -= 1; });
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks);
    const push: Push = { method: request.method!, path: request.url!, headers: request.headers, body, text: body.toString('utf8'), atMs: performance.now() };
    const number = endpoint.pushes.push(push);
    const status = await endpoint.answer(push, number);
    if (status !== 'silence') response.writeHead(status).end();
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  endpoint.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/push`;
  endpoint.close = () => new Promise((done) => {
    server.close(() => done());
    server.closeAllConnections();
  });
  return endpoint;
}
