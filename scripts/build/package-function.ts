// Everything that Cloud Functions needs of one function: in goes its name and target, out come the files of its zip. Called by
// scripts/build.ts. What happens to them there: docs/decisions/2026-11-23-bundles.md.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { STREAMS } from '../../schemas/generated/streams.ts';
import { settingsOf, type FunctionSpec } from '../local/function-settings.ts';
import { bundle, FRAMEWORK, MAIN } from './bundle.ts';
import type { Files } from './framework-package.ts';

/** Of the right form, so that the settings can be read while the code cache is made; nothing is called then. */
const SETTINGS_WHILE_BUILDING: Record<string, string> = { GOOGLE_CLOUD_PROJECT: 'none', CHIPLOG_BUCKET: 'none', CHIPLOG_SOURCES_FILE: '/dev/null' };
/** Own files that look beside themselves (import.meta.url), and what the zip has there. */
const LOOKS_BESIDE: Record<string, (root: string) => Files> = {
  'functions/stream-tables.ts': (root) => Object.fromEntries(Object.keys(STREAMS).map((stream) => {
    const name = `schemas/generated/${stream}.bigquery.json`;
    return [name, Buffer.from(JSON.stringify(JSON.parse(readFileSync(join(root, name), 'utf8'))))];
  })),
  // Asks for its client's copy of gRPC; leave-out.ts answers that inside the bundle.
  'functions/write/bigquery/open-stream.ts': () => ({}),
};

export type Packed = { files: Files; codeBytes: number };

export async function packageFunction(root: string, spec: FunctionSpec, framework: Files): Promise<Packed> {
  const { files: bundled, inputs } = await bundle(root, `${spec.folder}/function.ts`);
  const beside = inputs.filter((file) => file.startsWith('functions/') && readFileSync(join(root, file), 'utf8').includes('import.meta')).map((file) => {
    const files = LOOKS_BESIDE[file];
    if (files === undefined) throw new Error(`${file} uses import.meta; say in scripts/build/package-function.ts what its zip needs beside the bundle.`);
    return files(root);
  });
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };
  const frameworkVersion = (JSON.parse(Buffer.from(framework['package.json']!).toString()) as { version: string }).version;
  const settings = settingsOf(readFileSync(join(root, spec.folder, 'function.ts'), 'utf8')).filter((name) => SETTINGS_WHILE_BUILDING[name] !== undefined);
  const manifest = {
    name: `chiplog-${spec.name}`, version, private: true, main: MAIN,
    engines: { node: '24' },
    scripts: { 'gcp-build': 'node make-code-cache.cjs' },
    dependencies: { [FRAMEWORK]: 'file:functions-framework' },
    chiplog: { target: spec.target, settings: Object.fromEntries(settings.map((name) => [name, SETTINGS_WHILE_BUILDING[name]])) },
  };
  const files: Files = {
    'package.json': json(manifest),
    'package-lock.json': json(lockFile(manifest, frameworkVersion)),
    'make-code-cache.cjs': readFileSync(join(import.meta.dirname, 'inside/make-code-cache.cjs')),
    ...bundled,
    ...Object.assign({}, ...beside),
    ...Object.fromEntries(Object.entries(framework).map(([name, bytes]) => [`functions-framework/${name}`, bytes])),
  };
  return { files, codeBytes: bundled[MAIN]!.length };
}

/** `npm ci` asks for it; the only dependency is a folder of the zip, so no registry is asked for anything. */
function lockFile({ name, version, dependencies, engines }: { name: string; version: string; dependencies: object; engines: object }, frameworkVersion: string): object {
  return {
    name, version, lockfileVersion: 3, requires: true,
    packages: {
      '': { name, version, dependencies, engines },
      'functions-framework': { name: FRAMEWORK, version: frameworkVersion, license: 'Apache-2.0', bin: { 'functions-framework': 'main.js' } },
      [`node_modules/${FRAMEWORK}`]: { resolved: 'functions-framework', link: true },
    },
  };
}

const json = (value: unknown): Uint8Array => Buffer.from(`${JSON.stringify(value, null, 2)}\n`);
