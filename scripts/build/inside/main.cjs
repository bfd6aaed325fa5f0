#!/usr/bin/env node
// Starts functions-framework in the deployed function, as the framework's own `functions-framework` command does: Cloud Functions calls
// this file. Before it, two things that cost nothing and help: readable stack traces, and the compiled code that make-code-cache.cjs left.
const { mkdtempSync, readdirSync, rmdirSync, rmSync, symlinkSync } = require('node:fs');
const { enableCompileCache, getCompileCacheDir } = require('node:module');
const { tmpdir } = require('node:os');
const { join } = require('node:path');

process.setSourceMapsEnabled(true);
useCodeCache(join(__dirname, '..', 'code-cache'));
require('./framework.js').start();

/**
 * Node names the folder of a cache after its version, its flags and the user, and the image is built by another user under other flags.
 * None of that makes the code in it wrong (V8 checks version and flags itself, Node the source), so the name that Node wants is made to
 * lead to the folder that was built. Where anything is missing the function starts without: slower, and the same.
 */
function useCodeCache(built) {
  try {
    const [folder] = readdirSync(built);
    if (folder === undefined || getCompileCacheDir() !== undefined) return;
    const own = mkdtempSync(join(tmpdir(), 'chiplog-code-cache-'));
    enableCompileCache(own);
    const [wanted] = readdirSync(own);
    rmdirSync(join(own, wanted));
    symlinkSync(join(built, folder), join(own, wanted));
    // Without it Node would write what it compiled since into the folder, at every end.
    process.once('exit', () => rmSync(own, { recursive: true, force: true }));
  } catch {
    // No cache: see above.
  }
}
