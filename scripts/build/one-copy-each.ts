// npm leaves the same version of a package in several places of the tree; in a bundle each place is a copy of its own, loaded again.
// In goes a module that was found, out comes the same file of the first place that holds that very version. Called by bundle.ts.
import { readFileSync, readdirSync, existsSync } from 'node:fs';
import { join, sep } from 'node:path';
import type { Plugin } from 'esbuild';

const IN_PACKAGE = /^(.*[\\/]node_modules[\\/]((?:@[^\\/]+[\\/])?[^\\/]+))([\\/].*)$/s;

export function oneCopyEach(root: string): Plugin {
  return {
    name: 'one copy of each version',
    setup(build) {
      const places = findPlaces(join(root, 'node_modules'));
      build.onResolve({ filter: /.*/ }, async (args) => {
        if (args.pluginData === 'resolving' || args.kind === 'entry-point') return undefined;
        const found = await build.resolve(args.path, { importer: args.importer, resolveDir: args.resolveDir, kind: args.kind, namespace: args.namespace, pluginData: 'resolving' });
        if (found.errors.length > 0) return undefined;
        if (found.external || found.namespace !== 'file') return found;
        const [, folder, , rest] = IN_PACKAGE.exec(found.path) ?? [];
        const first = folder === undefined ? undefined : places.get(folder);
        return first === undefined ? found : { ...found, path: `${first}${rest}` };
      });
    },
  };
}

/** Folders of nested copies, each with the folder that stands for it: the first of the same name and version. */
function findPlaces(modules: string): Map<string, string> {
  const first = new Map<string, string>();
  const places = new Map<string, string>();
  for (const folder of packagesUnder(modules)) {
    const { name, version } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as { name?: string; version?: string };
    const key = `${name}@${version}`;
    const before = first.get(key);
    if (before === undefined) first.set(key, folder);
    else if (hasSameNeighbours(before, folder)) places.set(folder, before);
  }
  return places;
}

/** Two copies are one only if they find the same versions of what they need. */
function hasSameNeighbours(left: string, right: string): boolean {
  const versionsFor = (folder: string): string => {
    const { dependencies = {} } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as { dependencies?: Record<string, string> };
    return Object.keys(dependencies).sort().map((name) => `${name}@${versionSeenFrom(folder, name)}`).join();
  };
  return versionsFor(left) === versionsFor(right);
}

function versionSeenFrom(folder: string, name: string): string {
  for (let at = folder; at.includes('node_modules'); at = at.slice(0, at.lastIndexOf(sep))) {
    const file = join(at, 'node_modules', name, 'package.json');
    if (existsSync(file)) return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version;
  }
  const file = join(folder.slice(0, folder.indexOf('node_modules')), 'node_modules', name, 'package.json');
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version : 'none';
}

/** Every package, the ones nearer to the root first, by name; so that the choice does not depend on the file system. */
function packagesUnder(modules: string): string[] {
  if (!existsSync(modules)) return [];
  const names = readdirSync(modules, { withFileTypes: true }).filter((entry) => entry.isDirectory() && !entry.name.startsWith('.')).map(({ name }) => name).sort()
    .flatMap((name) => (name.startsWith('@') ? readdirSync(join(modules, name)).sort().map((inner) => join(name, inner)) : [name]));
  const here = names.map((name) => join(modules, name)).filter((folder) => existsSync(join(folder, 'package.json')));
  return [...here, ...here.flatMap((folder) => packagesUnder(join(folder, 'node_modules')))];
}
