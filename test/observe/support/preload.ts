/** Programs that run before a command, and spoil something for it. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * The environment of a process in which, and in whose child processes, a program runs first.
 * @param folder to write the program to
 */
export function withPreload(code: string, folder: string): { NODE_OPTIONS: string } {
  const file = join(folder, 'preload.cjs');
  writeFileSync(file, code);
  return { NODE_OPTIONS: `--require ${JSON.stringify(file)}` };
}

/**
 * A program that does something else where a module is loaded.
 * @param name of the module's package
 * @param instead statements
 */
export function refusing(name: string, instead: string): string {
  return `
    const Module = require('node:module');
    const { _load } = Module;
    const isIt = (request) => request === '${name}' || /node_modules.${name}.dist/.test(request);
    Module._load = function (request, ...rest) {
      if (isIt(request)) { ${instead} }
      return _load.call(this, request, ...rest);
    };`;
}

/** A program that hides a module as if it were not installed. */
export function hiding(name: string): string {
  return `
    const Module = require('node:module');
    const { _resolveFilename } = Module;
    Module._resolveFilename = function (request, ...rest) {
      if (request === '${name}') {
        throw Object.assign(new Error("Cannot find module '${name}'"), { code: 'MODULE_NOT_FOUND' });
      }
      return _resolveFilename.call(this, request, ...rest);
    };`;
}
