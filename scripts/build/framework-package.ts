// functions-framework as a package of three files: in goes the installed one, out come the files of the folder functions-framework/ in
// every zip. Called by package-function.ts. The launcher and the function load this one copy: the framework looks for the function in a
// registry that is a variable of its module.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { build, type Plugin } from 'esbuild';
import { COMPILING, FRAMEWORK } from './bundle.ts';

export type Files = Record<string, Uint8Array>;

/** What the function imports, and the two things that the start needs; each module is loaded when it is first asked for. */
const ENTRY = `
const registry = require('@google-cloud/functions-framework/build/src/function_registry.js');
exports.http = registry.http;
exports.cloudEvent = registry.cloudEvent;
exports.load = () => require('@google-cloud/functions-framework/build/src/server.js');
exports.start = () => require('@google-cloud/functions-framework/build/src/main.js');
`;

export async function frameworkPackage(root: string): Promise<Files> {
  const installed = join(root, 'node_modules', FRAMEWORK);
  const { version, license } = JSON.parse(readFileSync(join(installed, 'package.json'), 'utf8')) as { version: string; license: string };
  const { outputFiles } = await build({
    stdin: { contents: ENTRY, resolveDir: root, loader: 'js' },
    ...COMPILING,
    absWorkingDir: root,
    plugins: [withoutDeepImports(installed)],
    // Only asked whether a .js file is an ES module; ours is .cjs, which the framework knows without asking.
    external: ['read-package-up'],
  });
  const manifest = { name: FRAMEWORK, version, license, private: true, main: 'framework.js', bin: { 'functions-framework': 'main.js' } };
  return {
    'framework.js': outputFiles[0]!.contents,
    'main.js': readFileSync(join(import.meta.dirname, 'inside/main.cjs')),
    'package.json': Buffer.from(`${JSON.stringify(manifest, null, 2)}\n`),
  };
}

/** The package exports its index only; the files behind it are reached by their paths. */
function withoutDeepImports(installed: string): Plugin {
  return {
    name: 'files of the framework',
    setup(setup) {
      setup.onResolve({ filter: /^@google-cloud\/functions-framework\/build\// }, ({ path }) => ({ path: join(installed, path.slice(FRAMEWORK.length + 1)) }));
    },
  };
}
