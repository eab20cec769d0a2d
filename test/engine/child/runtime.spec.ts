import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  fallbackWarning,
  foreseenFallback,
  loadRuntime,
  unavailable,
} from '../../../src/engine/child/runtime.ts';
import * as web from '../../../src/engine/child/wasm/runtime.ts';
import * as native from '../../support/onnxruntime.ts';
import { fails } from '../support/fakes.ts';

const GLIBC = 'linux x64 (glibc 2.36), Node v24.1.0';

const withoutNative = { native: () => Promise.reject(new Error('nothing there')) };

/** What a failing import or require of this module throws. */
async function failure(load: () => unknown): Promise<unknown> {
  try {
    await load();
  } catch (error) {
    return error;
  }
  throw new assert.AssertionError({ message: 'it loads' });
}

describe('foreseenFallback', () => {
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'm2fp-runtime-'));
  });
  after(() => rm(folder, { recursive: true }));

  it('is null where onnxruntime-node and its binary are there', () => {
    assert.equal(foreseenFallback(), null);
  });

  it('says what helps where it is not installed, in the words of the engine', () => {
    const why = foreseenFallback(join(folder, 'package.json')) ?? '';
    assert.match(why, /runs on WebAssembly, .* it is not installed.*npm install/);
  });

  it('tells of a platform without a binary', async () => {
    const module = join(folder, 'node_modules', 'onnxruntime-node');
    await mkdir(module, { recursive: true });
    await writeFile(join(module, 'package.json'), '{}');
    assert.match(foreseenFallback(join(folder, 'package.json')) ?? '', /no binary for this platform/);
  });
});

describe('loadRuntime', () => {
  it('gives onnxruntime-node', async () => {
    const { provider, problem, InferenceSession, Tensor } = await loadRuntime(1);
    assert.deepEqual([provider, problem], ['cpu', null]);
    assert.equal(InferenceSession, native.InferenceSession);
    assert.equal(Tensor, native.Tensor);
  });

  it('gives the WebAssembly build, with so many threads, where the native one does not load', async () => {
    const loaders = { ...withoutNative, wasm: () => Promise.resolve(web) };
    const { provider, problem, InferenceSession } = await loadRuntime(3, loaders);
    assert.equal(provider, 'wasm');
    assert.equal(web.env.wasm.numThreads, 3);
    assert.equal(InferenceSession, web.InferenceSession);
    assert.match(problem?.message ?? '', /does not load on .*: nothing there\./);
    assert.match(fallbackWarning(problem!), /WebAssembly, .* slower\. onnxruntime-node does not load on/);
  });

  it('fails with the platform in the message where neither loads', async () => {
    const loaders = { ...withoutNative, wasm: () => Promise.reject(new Error('not here\neither')) };
    await fails(
      loadRuntime(1, loaders),
      'M2FP_ENGINE_UNAVAILABLE',
      new RegExp(`${process.platform} ${process.arch}.*nothing there\\..*WebAssembly.*not here$`),
    );
  });
});

describe('unavailable', () => {
  it('says how to install what npm left out', async () => {
    const name = 'onnxruntime-node-that-npm-left-out';
    const error = await failure(() => import(name));
    assert.equal((error as { code: string }).code, 'ERR_MODULE_NOT_FOUND');
    const { code, message } = unavailable(error, GLIBC);
    assert.equal(code, 'M2FP_ENGINE_UNAVAILABLE');
    assert.match(message, /does not load on linux x64 \(glibc 2\.36\), Node v24\.1\.0/);
    assert.match(
      message,
      /ONNXRUNTIME_NODE_INSTALL=skip npm install @m2fp\/node-red-human-parsing --include=optional/,
    );
    assert.match(message, /user directory/);
  });

  it('says so too where a bundle requires it', async () => {
    const require = createRequire('/nowhere/bundle.js');
    const error = await failure(() => require('onnxruntime-node'));
    assert.match(unavailable(error, GLIBC).message, /ONNXRUNTIME_NODE_INSTALL=skip/);
  });

  it('sends Alpine to Debian', () => {
    const error = Object.assign(new Error('Error loading shared library ld-linux-x86-64.so.2'), {
      code: 'ERR_DLOPEN_FAILED',
    });
    const { message } = unavailable(error, 'linux x64 (musl), Node v24.1.0');
    assert.match(message, /need glibc.*musl.*Debian/);
  });

  it('sends Alpine to Debian also where npm left the package out, which would not help there', () => {
    const error = Object.assign(new Error('Cannot find package'), { code: 'ERR_MODULE_NOT_FOUND' });
    assert.match(unavailable(error, 'linux x64 (musl), Node v24.1.0').message, /Debian/);
  });

  it('says that a platform has no binary', async () => {
    const require = createRequire(import.meta.url);
    const error = await failure(() => require('../bin/napi-v6/darwin/x64/onnxruntime_binding.node'));
    assert.match(
      unavailable(error, 'darwin x64, Node v24.1.0').message,
      /no binary for this platform.*macOS on arm64/,
    );
  });

  it('repeats the words of any other failure', () => {
    const error = Object.assign(new Error("version `GLIBC_2.28' not found\nmore"), {
      code: 'ERR_DLOPEN_FAILED',
    });
    const { message, cause } = unavailable(error, GLIBC);
    assert.match(message, /version `GLIBC_2\.28' not found\. It needs glibc 2\.28/);
    assert.doesNotMatch(message, /more/);
    assert.equal(cause, error);
  });
});
