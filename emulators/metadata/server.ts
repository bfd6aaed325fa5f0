// The metadata server that Google's auth library asks for tokens and project (GCE_METADATA_HOST). HTTP in, texts out; the tokens open nothing
// but the local services, which do not check them. run.ts (or a test) starts it.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { pauseFor, type FaultPoint } from '../faults.ts';
import { listen } from '../listen.ts';
import type { RunningService, ServiceOptions } from '../service.ts';
import { accessToken, identityToken } from './tokens.ts';

/** A folder of the tree, or a leaf's value; a function where it depends on the question. */
type Node = string | ((query: URLSearchParams) => string | undefined) | { [name: string]: Node };
type Answer = { status: number; type: string; body: string };

const FLAVOR = { 'metadata-flavor': 'Google', server: 'Metadata Server for VM' };
const NUMERIC_PROJECT = '123456789012';
const REGION = 'us-central1';
const SCOPES = ['https://www.googleapis.com/auth/cloud-platform', 'https://www.googleapis.com/auth/userinfo.email'];

export async function start({ host, port, project, faults, now }: ServiceOptions): Promise<RunningService> {
  const tree = metadataOf(project, now);
  const server = createServer((request, response) => {
    void (async () => {
      const plan = faults.take(new URL(request.url ?? '/', 'http://metadata').pathname.split('/').filter(Boolean).at(-1) ?? '/', request.url);
      if (plan !== undefined) await pauseFor(plan);
      if (plan?.kind === 'fail') send(response, { status: Number(plan.status) || 503, type: 'text/plain', body: 'A fault plan asked for this.' });
      else send(response, answer(tree, request));
    })();
  });
  return {
    ...(await listen(server, port, host)),
    faultPoints: leavesOf(tree).map((method): FaultPoint => ({ method, kinds: ['fail', 'delay', 'hang'], statuses: [], isHttp: true })),
  };
}

function metadataOf(project: string, now: () => number): Node {
  const email = `local@${project}.iam.gserviceaccount.com`;
  const account: Node = {
    aliases: 'default', email, scopes: SCOPES.join('\n'),
    token: () => JSON.stringify(accessToken(now())),
    identity: (query) => {
      const audience = query.get('audience');
      const machine = query.get('format') === 'full' ? { machine: { project, zone: `${REGION}-a` } } : {};
      return audience ? identityToken({ audience, email, nowMs: now(), ...machine }) : undefined;
    },
  };
  return {
    instance: {
      id: '1000000000000000001', name: 'local', hostname: `local.${REGION}-a.c.${project}.internal`,
      zone: `projects/${NUMERIC_PROJECT}/zones/${REGION}-a`, region: `projects/${NUMERIC_PROJECT}/regions/${REGION}`,
      attributes: {}, 'service-accounts': { default: account, [email]: account },
    },
    project: { 'project-id': project, 'numeric-project-id': NUMERIC_PROJECT, attributes: {} },
    universe: { 'universe-domain': 'googleapis.com', 'universe-id': 'default' },
  };
}

/** What a path can end with, by which plans name the question. */
function leavesOf(node: Node): string[] {
  return typeof node === 'object' ? [...new Set(Object.entries(node).flatMap(([name, child]) => [name, ...leavesOf(child)]))] : [];
}

function answer(tree: Node, request: IncomingMessage): Answer {
  const url = new URL(request.url ?? '/', 'http://metadata');
  if (request.method !== 'GET' && request.method !== 'HEAD') return text(405, 'Only GET is known here.');
  if (url.pathname === '/') return text(200, 'computeMetadata/\n');
  const path = /^\/computeMetadata\/v1(?:\/(.*))?$/.exec(url.pathname);
  if (path === null) return text(404, `${url.pathname} is not known here.`);
  // The header proves that the caller means this server: a browser lured here cannot set it.
  if (request.headers['metadata-flavor'] !== 'Google') return text(403, 'Missing required header "Metadata-Flavor": "Google".');
  let node: Node | undefined = tree;
  for (const name of (path[1] ?? '').split('/').filter(Boolean)) node = typeof node === 'object' && Object.hasOwn(node, name) ? node[name] : undefined;
  return node === undefined ? text(404, `${url.pathname} is not known here.`) : valueOf(node, url.searchParams);
}

function valueOf(node: Node, query: URLSearchParams): Answer {
  if (typeof node === 'object') {
    if (query.get('recursive') === 'true') return json(JSON.stringify(plain(node)));
    return text(200, Object.entries(node).map(([name, child]) => (typeof child === 'object' ? `${name}/\n` : `${name}\n`)).join(''));
  }
  if (typeof node === 'string') return text(200, node);
  const value = node(query);
  if (value === undefined) return text(400, 'non-empty audience parameter required');
  return value.startsWith('{') ? json(value) : text(200, value);
}

/** As `?recursive=true` shows it: camelCase names, and no tokens. */
function plain(node: { [name: string]: Node }): object {
  return Object.fromEntries(Object.entries(node).filter(([, child]) => typeof child !== 'function').map(([name, child]) => [
    name.includes('@') ? name : name.replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase()),
    typeof child === 'object' ? plain(child) : name === 'scopes' || name === 'aliases' ? (child as string).split('\n') : child,
  ]));
}

const text = (status: number, body: string): Answer => ({ status, type: 'application/text', body });
const json = (body: string): Answer => ({ status: 200, type: 'application/json', body });

function send(response: ServerResponse, { status, type, body }: Answer): void {
  response.writeHead(status, { ...FLAVOR, 'content-type': type, 'content-length': Buffer.byteLength(body) }).end(body);
}
