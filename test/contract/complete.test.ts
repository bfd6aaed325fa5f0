// The suites are complete and honest about themselves: every method of every API is graded, every grade is shown by a case, every mark has its reason.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { ROOT, type ServiceName } from './implementations.ts';
import { loadSuites, SERVICE_NAMES } from './suites.ts';

const suites = await loadSuites();

test('no case leaves an assertion to vitest, which would book it to the case that began last', () => {
  const files = readdirSync(import.meta.dirname, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.cases.ts'));
  expect(files.length).toBeGreaterThan(20);
  expect(files.filter((name) => /\.(rejects|resolves)\b|expect\.(poll|soft)\(/.test(readFileSync(join(import.meta.dirname, name), 'utf8')))).toEqual([]);
});

test('each of the four services has a suite', () => {
  expect(suites.map(({ service }) => service)).toEqual([...SERVICE_NAMES]);
});

describe.each(suites)('$service', ({ service, cases, surface }) => {
  test('names are unique and can be typed', () => {
    const names = cases.map(({ name }) => name);
    expect(names.filter((name, index) => names.indexOf(name) !== index || !/^[a-z0-9]+(-[a-z0-9]+)*$/.test(name))).toEqual([]);
    const methods = surface.map(({ method }) => method);
    expect(methods.filter((name, index) => methods.indexOf(name) !== index)).toEqual([]);
  });

  test('every method of the surface is shown by a case, and every case shows methods of the surface', () => {
    const shown = new Set(cases.flatMap(({ methods }) => methods));
    expect(surface.map(({ method }) => method).filter((method) => !shown.has(method))).toEqual([]);
    expect(cases.flatMap(({ name, methods }) => methods.filter((method) => !surface.some((line) => line.method === method)).map((method) => `${name}: ${method}`))).toEqual([]);
    expect(cases.filter(({ methods }) => methods.length === 0).map(({ name }) => name)).toEqual([]);
  });

  test('what is only approximate or absent says what is missing', () => {
    expect(surface.filter(({ grade, says }) => grade !== 'faithful' && says.length < 12)).toEqual([]);
  });

  test('every case has a promise and a page that makes it', () => {
    expect(cases.filter(({ promise, source }) => promise.length < 20 || !URL.canParse(source) || !source.startsWith('https://')).map(({ name }) => name)).toEqual([]);
  });

  test('every mark has a reason that a reader can check, and none is on ours', () => {
    const marks = cases.flatMap(({ name, differs }) => Object.entries(differs ?? {}).map(([implementation, { reason }]) => ({ name, implementation, reason })));
    expect(marks.filter(({ implementation, reason }) => implementation === 'ours' || reason.length < 15)).toEqual([]);
  });

  test('it is asked of ours, of an independent implementation and of a real project', () => {
    const files = ['ours', 'independent', 'cloud'].map((implementation) => join(import.meta.dirname, service, `${implementation}.test.ts`));
    expect(files.filter((file) => !existsSync(file))).toEqual([]);
  });
});

test.each([
  ['pubsub', '@google-cloud/pubsub', 'google.pubsub.v1', ['Publisher', 'Subscriber']],
  ['bigquery-write', '@google-cloud/bigquery-storage', 'google.cloud.bigquery.storage.v1', ['BigQueryWrite']],
] as const)('%s: every call in the protos of Google\'s client is on the surface', (name, packageName, protoPackage, services) => {
  const methods = surfaceOf(name);
  const called = callsIn(`node_modules/${packageName}/build/protos/protos.json`, protoPackage, services);
  expect(called.length).toBeGreaterThanOrEqual(6);
  expect(called.filter((call) => !methods.some((method) => method === call || method === call.split('.')[1]))).toEqual([]);
});

test('bigquery: every call that Google\'s client has a type for is on the surface', () => {
  const types = readFileSync(join(ROOT, 'node_modules/@google-cloud/bigquery/build/src/types.d.ts'), 'utf8');
  let resource = '';
  const calls = types.split('\n').flatMap((line) => {
    resource = /^ {2}namespace (\w+) \{/.exec(line)?.[1] ?? resource;
    const call = /^ {4}type I(\w+)Params\b/.exec(line)?.[1];
    return call === undefined ? [] : [`${resource}.${call[0]!.toLowerCase()}${call.slice(1)}`];
  });
  expect(calls.length).toBeGreaterThanOrEqual(10);
  const methods = surfaceOf('bigquery');
  expect(calls.filter((call) => !methods.includes(call) && !methods.includes(`${call.split('.')[0]}.*`))).toEqual([]);
});

test('where CI installed the independent implementations and the clients, all of it worked', () => {
  // .ci/run sets this: an installation that fails there must not end as skipped tests.
  expect(process.env['CONTRACT_INSTALL_EXIT'] ?? '0', 'npm run contract -- --install failed; its own lines say why').toBe('0');
});

function surfaceOf(service: ServiceName): string[] {
  return suites.find((suite) => suite.service === service)?.surface.map(({ method }) => method) ?? [];
}

type ProtoNode = { nested?: Record<string, ProtoNode>; methods?: Record<string, unknown> };

/** "Publisher.Publish" and so on, from the description that Google's client carries. */
function callsIn(file: string, protoPackage: string, services: readonly string[]): string[] {
  let node = JSON.parse(readFileSync(join(ROOT, file), 'utf8')) as ProtoNode;
  for (const part of protoPackage.split('.')) node = node.nested![part]!;
  return services.flatMap((service) => Object.keys(node.nested![service]!.methods!).map((method) => `${service}.${method}`));
}
