// The metadata server, asked by Google's own auth library as the clients of the product use it.
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { clientVariables } from '../../../emulators/env.ts';
import { Faults } from '../../../emulators/faults.ts';
import { start } from '../../../emulators/metadata/server.ts';
import type { RunningService } from '../../../emulators/service.ts';

let service: RunningService;
const faults = new Faults();
beforeAll(async () => {
  service = await start({ host: '127.0.0.1', port: 0, dataDir: '', project: 'local-project', faults, now: () => Date.now() });
});
afterAll(() => service.close());

const get = (path: string, headers: Record<string, string> = { 'metadata-flavor': 'Google' }): Promise<Response> => fetch(`http://127.0.0.1:${service.port}${path}`, { headers });

/** A fresh process, because the library remembers whether it found a metadata server. */
async function inProcess(script: string, hasDetectionSetting: boolean): Promise<unknown> {
  const cloud = { host: '127.0.0.1', project: 'local-project', pubsubPort: 1, bigqueryPort: 1, bigqueryWritePort: 1, storagePort: 1, metadataPort: service.port };
  const { PATH, HOME } = process.env;
  const { GOOGLE_CLOUD_PROJECT: _project, METADATA_SERVER_DETECTION: detection, ...variables } = clientVariables(cloud);
  const env = { PATH, HOME, ...variables, ...(hasDetectionSetting ? { METADATA_SERVER_DETECTION: detection } : {}) };
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', script], { env });
  return JSON.parse(stdout);
}

const ASK_FOR_EVERYTHING = `
  import { GoogleAuth } from 'google-auth-library';
  const startMs = performance.now();
  const auth = new GoogleAuth({ scopes: ['https://www.googleapis.com/auth/cloud-platform'] });
  const client = await auth.getClient();
  const { token } = await client.getAccessToken();
  const idClient = await auth.getIdTokenClient('https://collector.example');
  const headers = await idClient.getRequestHeaders();
  const { client_email } = await auth.getCredentials();
  console.log(JSON.stringify({ token, project: await auth.getProjectId(), bearer: headers.get('authorization'), client_email, ms: performance.now() - startMs }));
`;

test.each([true, false])('the auth library gets project, access token and identity token without waiting (detection setting given: %s)', async (hasDetectionSetting) => {
  const found = await inProcess(ASK_FOR_EVERYTHING, hasDetectionSetting) as { token: string; project: string; bearer: string; client_email: string; ms: number };
  expect(found).toMatchObject({ project: 'local-project', client_email: 'local@local-project.iam.gserviceaccount.com' });
  expect(found.token).toMatch(/^ya29\./);
  const claims = JSON.parse(Buffer.from(found.bearer.split('.')[1]!, 'base64url').toString()) as { aud: string; exp: number };
  expect(claims.aud).toBe('https://collector.example');
  expect(claims.exp * 1_000).toBeGreaterThan(Date.now());
  expect(found.ms).toBeLessThan(2_500);
});

test('a caller without the flavour header is refused, and every answer carries it', async () => {
  const refused = await get('/computeMetadata/v1/project/project-id', {});
  expect(refused.status).toBe(403);
  const found = await get('/computeMetadata/v1/project/project-id');
  expect([found.status, found.headers.get('metadata-flavor'), await found.text()]).toEqual([200, 'Google', 'local-project']);
});

test.each([
  ['/computeMetadata/v1/project/numeric-project-id', /^\d+$/],
  ['/computeMetadata/v1/instance/zone', /^projects\/\d+\/zones\/[a-z0-9-]+$/],
  ['/computeMetadata/v1/instance/region', /^projects\/\d+\/regions\/[a-z0-9-]+$/],
  ['/computeMetadata/v1/instance/service-accounts/default/email', /@local-project\.iam\.gserviceaccount\.com$/],
  ['/computeMetadata/v1/instance/service-accounts/default/scopes', /cloud-platform/],
  ['/computeMetadata/v1/instance/service-accounts/', /^default\/$/m],
  ['/computeMetadata/v1/universe/universe-domain', /^googleapis\.com$/],
])('%s has the form of Google\'s', async (path, form) => {
  const found = await get(path);
  expect(found.status).toBe(200);
  expect(await found.text()).toMatch(form);
});

test('an identity token without audience is 400, an unknown path 404, and recursion shows no token', async () => {
  expect((await get('/computeMetadata/v1/instance/service-accounts/default/identity')).status).toBe(400);
  expect((await get('/computeMetadata/v1/instance/constructor')).status).toBe(404);
  const tree = await (await get('/computeMetadata/v1/instance/service-accounts/?recursive=true')).json() as { default: object };
  expect(Object.keys(tree.default).sort()).toEqual(['aliases', 'email', 'scopes']);
});

test('a fault plan for the token fails it once', async () => {
  faults.add({ method: 'token', kind: 'fail' });
  const path = '/computeMetadata/v1/instance/service-accounts/default/token';
  expect((await get(path)).status).toBe(503);
  expect((await get(path)).status).toBe(200);
});
