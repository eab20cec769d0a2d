import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openStore } from '../../src/store/store.ts';
import { storeOption } from '../../src/cli/stores.ts';
import { didYouMean } from '../../src/cli/similar.ts';
import { findUserFolder } from '../../src/cli/user-folder.ts';
import { start } from './support.ts';

describe('the user folder that commands work for', () => {
  let root: string;
  let places: { current: string; home: string; container: string };
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'm2fp-user-folder-'));
    places = { current: join(root, 'here'), home: join(root, 'home'), container: join(root, 'data') };
    for (const place of Object.values(places)) mkdirSync(place);
  });
  afterEach(() => rmSync(root, { recursive: true }));
  const run = (folder: string, file = '.config.nodes.json') => writeFileSync(join(folder, file), '{}');
  const found = (named?: string) => findUserFolder(named, places).path;

  it('is the one of --user-dir before all others', () => {
    run(places.current);
    const named = join(root, 'named');
    mkdirSync(named);
    assert.equal(found(named), named);
    assert.equal(storeOption({ 'user-dir': named }).root, join(named, 'm2fp', 'models'));
    assert.equal(storeOption({ 'user-dir': named, store: root }).root, root);
    assert.throws(() => found(join(root, 'nowhere')), { code: 'M2FP_BAD_OPTION', message: /no such folder/ });
  });

  it('is the current folder where Node-RED has run in it', () => {
    run(places.container);
    for (const file of ['flows.json', 'flows_pi.json', '.config.users.json']) {
      run(places.current, file);
      assert.equal(found(), places.current, file);
      rmSync(join(places.current, file));
    }
    for (const file of ['package.json', 'settings.js', 'myflows.json']) run(places.current, file);
    assert.equal(found(), places.container);
  });

  it('is /data in the Docker image, and else ~/.node-red', () => {
    assert.equal(found(), join(places.home, '.node-red'));
    run(places.container, 'flows.json');
    assert.equal(found(), places.container);
  });

  it('is where doctor, models and the others look, and doctor says which', async function () {
    this.timeout(120_000);
    run(places.current);
    const { root: store } = openStore(join(places.current, 'm2fp', 'models'));
    const models = await start(['models'], {}, places.current).ended;
    assert.match(models.err, new RegExp(`no model in .*${store.slice(-20)}`));
    const doctor = await start(['doctor', '--user-dir', places.home], {}, places.current).ended;
    assert.match(doctor.out, /user folder +\S+ \(as --user-dir says\)/);
    const json = await start(['doctor', '--json'], {}, places.current).ended;
    assert.match(
      (JSON.parse(json.out) as { userFolder: { reason: string } }).userFolder.reason,
      /current folder/,
    );
  });
});

describe('didYouMean', () => {
  const words = ['pull', 'models', 'convert', 'parse', 'worker', 'doctor'];
  for (const [typed, meant] of [
    ['pares', 'parse'],
    ['prase', 'parse'],
    ['pars', 'parse'],
    ['model', 'models'],
    ['convrt', 'convert'],
    ['doc', 'doctor'],
    ['dcotor', 'doctor'],
  ] as const) {
    it(`${typed} is ${meant}`, () => assert.equal(didYouMean(typed, words), `, did you mean "${meant}"?`));
  }
  for (const typed of ['', 'x', 'serve', 'train', 'a'.repeat(1000)]) {
    it(`guesses nothing for "${typed.slice(0, 10)}"`, () => {
      assert.equal(didYouMean(typed, words), '');
    });
  }
});
