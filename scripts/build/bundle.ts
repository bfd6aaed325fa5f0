// One function as JavaScript without packages: in goes its entry, out come its files and which sources went into them. Called by
// package-function.ts. Everything is inside except functions-framework, which must be the launcher's own copy (framework-package.ts).
import { join } from 'node:path';
import { build, type BuildOptions } from 'esbuild';
import { leaveOut, STORAGE_MESSAGES, STORAGE_MESSAGES_SOURCE } from './leave-out.ts';
import { oneCopyEach } from './one-copy-each.ts';
import { ownSourceMap } from './own-source-map.ts';

export const FRAMEWORK = '@google-cloud/functions-framework';

/** As .cjs, since the framework need not search for a package.json then. In functions/, where the sources are that look beside themselves. */
export const MAIN = 'functions/function.cjs';

export type Bundle = { files: Record<string, Uint8Array>; inputs: string[] };

/** CommonJS, since most of what is inside is. Names stay: Google's clients ask for `constructor.name`, and a stack trace without them says little. */
export const COMPILING = {
  bundle: true, write: false, platform: 'node', target: 'node24', format: 'cjs',
  minifyWhitespace: true, minifySyntax: true, minifyIdentifiers: false, legalComments: 'none', charset: 'utf8', logLevel: 'silent',
} as const satisfies BuildOptions;

export async function bundle(root: string, entry: string): Promise<Bundle> {
  const { outputFiles, metafile, warnings } = await build({
    ...COMPILING,
    entryPoints: [join(root, entry)], outfile: join(root, MAIN), absWorkingDir: root, metafile: true,
    sourcemap: 'linked', sourcesContent: false,
    external: [FRAMEWORK],
    define: { 'import.meta.url': '__file_url' },
    banner: { js: 'const __file_url=require("node:url").pathToFileURL(__filename).href;' },
    plugins: [leaveOut(root), oneCopyEach(root)],
  });
  if (warnings.length > 0) throw new Error(`Bundling ${entry}: ${warnings.map(({ text, location }) => `${location?.file}:${location?.line}: ${text}`).join('; ')}`);
  const bytesOf = (ending: string): Uint8Array => outputFiles.find(({ path }) => path.endsWith(ending))!.contents;
  const code = bytesOf('.cjs');
  const map = ownSourceMap(JSON.parse(Buffer.from(bytesOf('.map')).toString()), isOwn);
  const files: Bundle['files'] = { [MAIN]: code, [`${MAIN}.map`]: Buffer.from(JSON.stringify(map)) };
  if (Buffer.from(code).includes(STORAGE_MESSAGES)) files[`functions/${STORAGE_MESSAGES}`] = await storageMessages(root);
  return { files, inputs: Object.keys(metafile.inputs).sort() };
}

async function storageMessages(root: string): Promise<Uint8Array> {
  const { outputFiles } = await build({ ...COMPILING, entryPoints: [join(root, 'node_modules', STORAGE_MESSAGES_SOURCE)], absWorkingDir: root });
  return outputFiles[0]!.contents;
}

/** Generated validators are a megabyte of code that nobody reads a stack trace of. */
const isOwn = (source: string): boolean => !source.includes('node_modules/') && !source.includes('schemas/generated/');
