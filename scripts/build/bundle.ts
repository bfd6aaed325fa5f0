// One function as one file of JavaScript: in goes its entry, out come its code, its source map and which files went into it. Called by
// package-function.ts. Everything is inside except functions-framework, which must be the launcher's own copy (framework-package.ts).
import { join } from 'node:path';
import { build } from 'esbuild';
import { leaveOut } from './leave-out.ts';
import { oneCopyEach } from './one-copy-each.ts';
import { ownSourceMap } from './own-source-map.ts';

export const FRAMEWORK = '@google-cloud/functions-framework';

export type Bundle = { code: Uint8Array; sourceMap: Uint8Array; inputs: string[] };

/** CommonJS, since most of what is inside is; as .cjs, since the framework need not search for a package.json then. */
const OUTPUT = 'functions/function.cjs';

export async function bundle(root: string, entry: string): Promise<Bundle> {
  const { outputFiles, metafile, warnings } = await build({
    entryPoints: [join(root, entry)],
    outfile: join(root, OUTPUT),
    absWorkingDir: root,
    bundle: true, write: false, metafile: true,
    platform: 'node', target: 'node24', format: 'cjs',
    // Names stay: Google's clients ask for `constructor.name`, and a stack trace without them says little.
    minifyWhitespace: true, minifySyntax: true, minifyIdentifiers: false,
    legalComments: 'none', charset: 'utf8',
    sourcemap: 'linked', sourcesContent: false,
    external: [FRAMEWORK],
    define: { 'import.meta.url': '__file_url' },
    banner: { js: 'const __file_url=require("node:url").pathToFileURL(__filename).href;' },
    logLevel: 'silent',
    plugins: [leaveOut(root), oneCopyEach(root)],
  });
  if (warnings.length > 0) throw new Error(`Bundling ${entry}: ${warnings.map(({ text, location }) => `${location?.file}:${location?.line}: ${text}`).join('; ')}`);
  const bytesOf = (ending: string): Uint8Array => outputFiles.find(({ path }) => path.endsWith(ending))!.contents;
  const map = ownSourceMap(JSON.parse(Buffer.from(bytesOf('.map')).toString()), isOwn);
  return { code: bytesOf('.cjs'), sourceMap: Buffer.from(JSON.stringify(map)), inputs: Object.keys(metafile.inputs).sort() };
}

/** Generated validators are a megabyte of code that nobody reads a stack trace of. */
const isOwn = (source: string): boolean => !source.includes('node_modules/') && !source.includes('schemas/generated/');
