// The steering wheel of one service, on its own port: GET /healthz, GET /time, GET/POST/DELETE /faults, GET /fault-points, GET /stats. run.ts starts it;
// gateway.ts puts those of all services behind one address.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { FaultPlanError, readFaultPlans, refuseDeadPlan, type FaultPoint, type Faults } from './faults.ts';
import { listen } from './listen.ts';

export type Control = { port: number; close(): Promise<void> };

export type ControlOptions = { host: string; port: number; faults: Faults; gauges?: () => Record<string, number>;
  /** Plans that meet none of them are refused. */
  faultPoints?: readonly FaultPoint[];
  /** The steered clock as this process sees it. */
  now?: () => number;
};

export async function startControl(options: ControlOptions): Promise<Control> {
  const server = createServer((request, response) => {
    answer(options, request).then(
      ({ status, body }) => send(response, status, body),
      (error: unknown) => send(response, error instanceof FaultPlanError || error instanceof SyntaxError ? 400 : 500, { error: String(error) }),
    );
  });
  return listen(server, options.port, options.host);
}

type Answer = { status: number; body: unknown };

async function answer({ faults, gauges, faultPoints, now = Date.now }: ControlOptions, request: IncomingMessage): Promise<Answer> {
  const path = new URL(request.url ?? '/', 'http://local').pathname;
  switch (`${request.method} ${path}`) {
    case 'GET /healthz':
      return { status: 200, body: { ok: true } };
    case 'GET /time':
      return { status: 200, body: { now: new Date(now()).toISOString() } };
    case 'GET /fault-points':
      return { status: 200, body: faultPoints ?? [] };
    case 'GET /stats':
      return { status: 200, body: { ...faults.stats(), ...gauges?.() } };
    case 'GET /faults':
      return { status: 200, body: faults.list() };
    case 'POST /faults': {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk as Buffer);
      const plans = readFaultPlans(JSON.parse(Buffer.concat(chunks).toString('utf8')));
      if (faultPoints !== undefined) for (const plan of plans) refuseDeadPlan(plan, faultPoints);
      faults.add(...plans);
      return { status: 200, body: faults.list() };
    }
    case 'DELETE /faults':
      faults.clear();
      return { status: 200, body: [] };
    default:
      return { status: 404, body: { error: `${request.method} ${path} is not known here: GET /healthz, GET /time, GET /stats, GET /fault-points, GET, POST and DELETE /faults.` } };
  }
}

function send(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(`${JSON.stringify(body)}\n`);
}
