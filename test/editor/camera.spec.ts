/** The form of the camera node: what shows for which kind, a picture to try, and areas that do not count. */
import assert from 'node:assert/strict';
import { CameraServer } from '../camera/support/camera-server.ts';
import { twoPeople } from '../support/images.ts';
import { type FlowNode, NodeRed, VERSIONS } from '../support/node-red.ts';
import type { Editor } from './editor.ts';
import { withEditor } from './with-editor.ts';

const TAB = 'first-tab';
const FLOW: FlowNode[] = [
  { id: TAB, type: 'tab', label: 'Flow 1' },
  {
    id: 'camera',
    type: 'm2fp-camera',
    z: TAB,
    x: 200,
    y: 60,
    wires: [[], []],
    name: 'door',
    autostart: false,
  },
];
const ACCOUNT = { user: 'anna', password: 'secret word' };

for (const version of VERSIONS) {
  describe(`the camera form (${version})`, function () {
    this.timeout(120_000);
    let camera: CameraServer;
    let editor: Editor;

    before(async () => {
      camera = await new CameraServer().start();
      camera.login = {
        account: ACCOUNT,
        challenges: (nonce) => [`Digest realm="c", nonce="${nonce}", qop="auth"`],
      };
      camera.handler = (_request, response) => void response.end(twoPeople);
    });
    withEditor(
      `${version} camera`,
      () => NodeRed.start(version, FLOW),
      (open) => ({ editor } = open),
    );
    after(() => camera?.stop());

    const field = (name: string) => editor.page.locator(`#node-input-${name}`);
    const shown = async (...names: string[]): Promise<string[]> => {
      const all = await Promise.all(
        names.map(async (name) => [name, await field(name).isVisible()] as const),
      );
      return all.filter(([, isVisible]) => isVisible).map(([name]) => name);
    };

    it('shows the fields of the chosen kind', async () => {
      await editor.editNode('camera', async () => {
        const names = ['user', 'password', 'token', 'ffmpeg', 'paced', 'loop', 'rate'];
        assert.deepEqual(await shown(...names), ['rate']);
        await field('source').selectOption('video');
        await field('login').selectOption('login');
        await field('pace').selectOption('manual');
        assert.deepEqual(await shown(...names), ['user', 'password', 'ffmpeg', 'paced', 'loop']);
        await field('login').selectOption('token');
        assert.deepEqual(await shown('user', 'password', 'token'), ['token']);
        await field('source').selectOption('snapshot');
        await field('login').selectOption('none');
        await field('pace').selectOption('flow');
      });
    });

    it('tries the camera with what is entered, and with the password that is deployed', async () => {
      const said = editor.page.locator('#m2fp-camera-try [role=status]');
      const picture = editor.page.locator('#m2fp-camera-try img');
      const tried = async (): Promise<string> => {
        await editor.page.locator('#m2fp-camera-try button').click();
        await editor.page.locator('#m2fp-camera-try button:not(:disabled)').waitFor();
        return said.innerText();
      };
      await editor.editNode('camera', async () => {
        assert.match(await tried(), /must begin with http/);
        assert.equal(await picture.isVisible(), false);
        await field('address').fill(camera.url('/snap.jpg'));
        assert.match(await tried(), /refuses the login/);
        await field('login').selectOption('login');
        await field('user').fill(ACCOUNT.user);
        await field('password').fill(ACCOUNT.password);
        assert.match(await tried(), /^448 × 448 pixels, 294 kB, after [\d.]+ s$/);
        assert.equal(await picture.isVisible(), true);
        await editor.screenshot(`${version} camera form`);
      });
      await editor.deploy();
      await editor.editNode('camera', async () => {
        assert.equal(await field('password').inputValue(), '__PWRD__');
        assert.match(await tried(), /448 × 448/);
        const { length } = camera.requests;
        const other = await new CameraServer().start();
        await field('address').fill(other.url('/snap.jpg'));
        assert.match(await tried(), /enter the password once more/);
        assert.deepEqual([other.requests.length, camera.requests.length], [0, length]);
        await other.stop();
        await field('address').fill(camera.url('/snap.jpg'));
      });
      // The browser tells of every answer that is none.
      editor.complaints.splice(0);
    });

    it('has areas that do not count drawn on the picture', async () => {
      await editor.editNode('camera', async () => {
        await editor.page.getByText('Motion', { exact: true }).click();
        await field('motion').check();
        await editor.page.locator('#m2fp-camera-ignored button').first().click();
        await editor.screenshot(`${version} camera motion`);
        const [area] = JSON.parse((await field('ignored').inputValue()) || '[]') as {
          name: string;
          points: unknown[];
        }[];
        assert.ok(area!.points.length >= 3);
        assert.match(area!.name, /ignored/);
      });
      assert.deepEqual(editor.complaints.splice(0), []);
    });
  });
}
