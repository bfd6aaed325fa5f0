// npm leaves the same version of a package in several places of the tree; in a bundle each place is a copy of its own, loaded again.
// In goes a module that was found, out comes the same file of the first place that holds that very version. Called by bundle.ts.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Plugin } from 'esbuild';

const IN_PACKAGE = /^(.*[\\/]node_modules[\\/](?:@[^\\/]+[\\/])?[^\\/]+)([\\/].*)$/s;

export function oneCopyEach(root: string): Plugin {
  return {
    name: 'one copy of each version',
    setup(build) {
      const places = findPlaces(root);
      build.onResolve({ filter: /.*/ }, async (args) => {
        if (args.pluginData === 'resolving' || args.kind === 'entry-point') return undefined;
        const found = await build.resolve(args.path, { importer: args.importer, resolveDir: args.resolveDir, kind: args.kind, namespace: args.namespace, pluginData: 'resolving' });
        if (found.errors.length > 0) return undefined;
        if (found.external || found.namespace !== 'file') return found;
        const [, folder, rest] = IN_PACKAGE.exec(found.path) ?? [];
        const first = folder === undefined ? undefined : places.get(folder);
        return first === undefined ? found : { ...found, path: `${first}${rest}` };
      });
    },
  };
}

type Manifest = { name?: string; version?: string; dependencies?: Record<string, string> };
const manifestOf = (folder: string): Manifest => JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Manifest;

/** Folders of further copies, each with the folder that stands for it: the first that has the same version and finds the same packages. */
export function findPlaces(root: string): Map<string, string> {
  const first = new Map<string, string>();
  const places = new Map<string, string>();
  const known = new Map<string, string>();
  for (const folder of packagesUnder(join(root, 'node_modules'))) {
    const all = allOf(folder, root, known, []);
    const before = first.get(all);
    if (before === undefined) first.set(all, folder);
    else places.set(folder, before);
  }
  return places;
}

/** Name and version of a package and of everything that it finds, all the way down: two copies are one only if these are the same. */
function allOf(folder: string, root: string, known: Map<string, string>, above: readonly string[]): string {
  const before = known.get(folder);
  if (before !== undefined) return before;
  const { name, version, dependencies = {} } = manifestOf(folder);
  const own = `${name}@${version}`;
  // Packages may need each other in a circle; there the name and version must do.
  if (above.includes(folder)) return own;
  const needs = Object.keys(dependencies).sort().map((need) => {
    const found = placeSeenFrom(folder, need, root);
    return found === undefined ? `no ${need}` : allOf(found, root, known, [...above, folder]);
  });
  const all = needs.length === 0 ? own : `${own}(${needs.join()})`;
  if (above.length === 0) known.set(folder, all);
  return all;
}

/** Where Node finds a package from a folder: in its own node_modules, else in the next one above. */
function placeSeenFrom(folder: string, name: string, root: string): string | undefined {
  for (let at = folder; ; at = at.slice(0, Math.max(at.lastIndexOf('/node_modules/'), root.length))) {
    const place = join(at, 'node_modules', name);
    if (existsSync(join(place, 'package.json'))) return place;
    if (at.length <= root.length) return undefined;
  }
}

/** Every package, the ones nearer to the root first, by name; so that the choice does not depend on the file system. */
function packagesUnder(modules: string): string[] {
  if (!existsSync(modules)) return [];
  const names = readdirSync(modules, { withFileTypes: true }).filter((entry) => entry.isDirectory() && !entry.name.startsWith('.')).map(({ name }) => name).sort()
    .flatMap((name) => (name.startsWith('@') ? readdirSync(join(modules, name)).sort().map((inner) => join(name, inner)) : [name]));
  const here = names.map((name) => join(modules, name)).filter((folder) => existsSync(join(folder, 'package.json')));
  return [...here, ...here.flatMap((folder) => packagesUnder(join(folder, 'node_modules')))];
}
