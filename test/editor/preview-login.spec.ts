/** Who may see previews, and who may switch them, where users log in. */
import assert from 'node:assert/strict';
import { NodeRed } from '../support/node-red.ts';
import { Editor } from './editor.ts';
import { FLOW, isActive, press, shown, thumbnail, viewer } from './preview-page.ts';

describe('the preview where users log in', function () {
  this.timeout(120_000);
  const PASSWORD = 'secret';
  /** The same in bcrypt, with the least work. */
  const hash = '$2b$04$KPC9eQz9sd.4qheGjHgOguON9tR1DpbuWDuGNUcL6QOeC2rCLM/4S';
  let nodeRed: NodeRed;

  before(async () => {
    const user = (username: string, permissions: string) => ({ username, permissions, password: hash });
    const adminAuth = { type: 'credentials', users: [user('admin', '*'), user('reader', 'read')] };
    nodeRed = await NodeRed.start('node-red', FLOW, { adminAuth });
  });
  after(() => nodeRed?.stop());

  /** Asks with the token of a user, or without. */
  const ask = async (user: string | null, method: string, path: string): Promise<number> => {
    const headers: Record<string, string> = method === 'POST' ? { 'content-type': 'application/json' } : {};
    if (user !== null) {
      const form = {
        client_id: 'node-red-admin',
        grant_type: 'password',
        username: user,
        password: PASSWORD,
      };
      const body = new URLSearchParams({ ...form, scope: '' });
      const answer = await (await fetch(`${nodeRed.url}/auth/token`, { method: 'POST', body })).json();
      headers['authorization'] = `Bearer ${(answer as { access_token: string }).access_token}`;
    }
    return (await fetch(`${nodeRed.url}/${path}`, { method, headers })).status;
  };

  it('is shown to who may read, with a word where that one presses its button', async () => {
    const reader = await Editor.open(nodeRed.url, 'en-US', { user: { name: 'reader', password: PASSWORD } });
    try {
      // The question that comes before the login.
      reader.complaints.splice(0);
      assert.equal(await ask('admin', 'POST', 'inject/two-people'), 200);
      await shown(reader);
      await thumbnail(reader).click();
      await viewer(reader).locator('canvas').waitFor();
      await reader.page.keyboard.press('Escape');
      assert.deepEqual(reader.complaints, []);

      await press(reader);
      await reader.page
        .locator('.red-ui-notification', { hasText: 'You may look at previews, but not switch them.' })
        .waitFor();
      assert.equal(await isActive(reader), true);
      await shown(reader);
      await reader.screenshot('preview read-only');
    } finally {
      await reader.close();
    }
  });

  for (const path of ['', '/preview', '/preview/thumbnail', '/preview/source', '/preview/maps']) {
    it(`gives previews${path} to who may read`, async () => {
      assert.equal(await ask(null, 'GET', `m2fp/previews${path}`), 401);
      assert.equal(await ask('reader', 'GET', `m2fp/previews${path}`), 200);
    });
  }

  for (const user of [null, 'reader']) {
    it(`is not switched by ${user ?? 'who is not logged in'}`, async () => {
      assert.equal(await ask(user, 'POST', 'm2fp/previews/preview/disable'), 401);
    });
  }

  it('is switched by who may write, and is gone then', async () => {
    assert.equal(await ask('admin', 'POST', 'm2fp/previews/preview/disable'), 200);
    assert.equal(await ask('reader', 'GET', 'm2fp/previews/preview/thumbnail'), 404);
  });
});
