// What Google's packages load at start and this product never uses: in goes a module, out comes a light one in its place. Called by bundle.ts.
// Each replaced module tells its name when something touches it after all, so that a wrong guess is one sentence in the log and not a riddle.
import { readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import type { Plugin } from 'esbuild';
import { pruneProtos, type ProtoNode } from './prune-protos.ts';

/** The services that functions/ calls; a client of another one of these packages would find no such service in the bundle. */
const SERVICES: Record<string, readonly string[]> = {
  'pubsub-api': ['google.pubsub.v1.Publisher'],
  'bigquery-storage': ['google.cloud.bigquery.storage.v1.BigQueryWrite'],
};

/**
 * Message classes that protobufjs generated, 0.2 to 0.8 MB each. The clients make their messages from protos.json; of these classes
 * they only re-export the names (and gax asks them for long-running operations, which no function here starts).
 */
const GENERATED_CLASSES = /[\\/]node_modules[\\/](?:.*[\\/])?(?:google-gax[\\/]build[\\/]protos[\\/](?:iam_service|locations|operations)|@google-cloud[\\/]pubsub(?:-api)?[\\/]build[\\/]protos[\\/]protos)\.js$/;

/** A megabyte of message classes, needed to read an error: a file of its own beside the bundle, loaded by the first one. */
export const STORAGE_MESSAGES = 'storage-messages.cjs';
export const STORAGE_MESSAGES_SOURCE = '@google-cloud/bigquery-storage/build/protos/protos.js';

/** The whole package would load four versions of its API, Apache Arrow and two writers. */
const STORAGE_ENTRY = `
exports.v1 = { BigQueryWriteClient: require('@google-cloud/bigquery-storage/build/src/v1/big_query_write_client.js').BigQueryWriteClient };
Object.defineProperty(exports, 'protos', { enumerable: true, get: () => require('./${STORAGE_MESSAGES}') });
`;

/** open-stream.ts asks for the copy of gRPC that the client uses; in a bundle there is one copy, which needs no looking up. */
const CLIENTS_REQUIRE = `exports.createRequire = () => Object.assign((name) => {
  if (name === 'google-gax') return require('google-gax');
  throw new Error('The bundle has no ' + name + ' to be required by name (scripts/build/leave-out.ts)');
}, { resolve: (name) => name });`;

/** A second client for topic policies, made at once with descriptions of its own; here it is made by whoever asks for it. */
const IAM_CLIENT = 'this.iamClient = new this._gaxModule.IamClient(this._gaxGrpc, opts);';
const IAM_CLIENT_LATER = "Object.defineProperty(this, 'iamClient', { configurable: true, get: () => new this._gaxModule.IamClient(this._gaxGrpc, opts) });";

export function leaveOut(root: string): Plugin {
  return {
    name: 'leave out what is never used',
    setup(build) {
      build.onResolve({ filter: new RegExp(`^\\./${STORAGE_MESSAGES.replace('.', '\\.')}$`) }, ({ path }) => ({ path, external: true }));
      build.onLoad({ filter: GENERATED_CLASSES }, ({ path }) => ({ contents: refusing(relative(root, path)), loader: 'js' }));
      build.onLoad({ filter: /[\\/]node_modules[\\/]@google-cloud[\\/]bigquery-storage[\\/]build[\\/]src[\\/]index\.js$/ }, () => ({ contents: STORAGE_ENTRY, loader: 'js', resolveDir: root }));
      build.onLoad({ filter: /[\\/]@google-cloud[\\/](pubsub-api|bigquery-storage)[\\/]build[\\/]protos[\\/]protos\.json$/ }, ({ path }) => {
        const name = /(pubsub-api|bigquery-storage)[\\/]build/.exec(path)![1]!;
        return { contents: JSON.stringify(pruneProtos(JSON.parse(readFileSync(path, 'utf8')) as ProtoNode, SERVICES[name]!)), loader: 'json' };
      });
      build.onLoad({ filter: /[\\/]pubsub-api[\\/]build[\\/]src[\\/]v1[\\/]publisher_client\.js$/ }, ({ path }) => {
        const source = readFileSync(path, 'utf8');
        if (!source.includes(IAM_CLIENT)) throw new Error(`${relative(root, path)} no longer makes its IamClient as scripts/build/leave-out.ts knows it.`);
        return { contents: source.replace(IAM_CLIENT, IAM_CLIENT_LATER), loader: 'js' };
      });
      build.onResolve({ filter: /^node:module$/ }, ({ importer }) => (importer.startsWith(join(root, 'functions')) ? { path: 'createRequire', namespace: 'clients-require' } : undefined));
      build.onLoad({ filter: /.*/, namespace: 'clients-require' }, () => ({ contents: CLIENTS_REQUIRE, loader: 'js', resolveDir: join(root, 'node_modules/@google-cloud/bigquery-storage') }));
    },
  };
}

/** A module whose every property is an error that names the file; nothing is enumerated, so re-exporting it is allowed. */
function refusing(file: string): string {
  const message = JSON.stringify(`The bundle left out ${file.replaceAll('\\', '/')} (scripts/build/leave-out.ts); nothing was known to use it`);
  return `module.exports = new Proxy({ __esModule: true }, { get(target, name) {
    if (typeof name === 'symbol' || name === '__esModule' || name === 'default' || name === 'then') return target[name];
    throw new Error(${message} + ': ' + name);
  } });`;
}
