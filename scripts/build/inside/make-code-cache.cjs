// Runs once in Cloud Build (script "gcp-build" of package.json), with the very Node that will run the function: loads framework and
// function as a start does, and keeps V8's compiled code in code-cache/. Nothing is called and nothing is sent; a failure costs speed only.
const { chmodSync, readdirSync } = require('node:fs');
const { enableCompileCache, flushCompileCache } = require('node:module');
const { join } = require('node:path');

const { settings, target } = require('./package.json').chiplog;
// Settings are checked while loading; these are of the right form and lead nowhere.
Object.assign(process.env, settings, { FUNCTION_TARGET: target, PORT: '0' });
try {
  const folder = join(__dirname, 'code-cache');
  enableCompileCache(folder);
  const framework = require('@google-cloud/functions-framework');
  require('./functions/function.cjs');
  framework.load();
  flushCompileCache();
  // Node writes for its own user alone; the one who runs the function may be another.
  for (const name of readdirSync(folder, { recursive: true })) chmodSync(join(folder, name), name.includes('/') ? 0o644 : 0o755);
} catch (error) {
  console.error(`The code cache could not be made; the function will start more slowly. ${error instanceof Error ? error.message : String(error)}`);
}
process.exit(0);
