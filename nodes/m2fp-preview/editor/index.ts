/** The script that the html of the preview node loads: thumbnails under the nodes, the enlarged view, the toggle. */
import { type Ajax, type CanvasNode, type EditorRed, element, text } from './page.ts';
import { STYLE } from './style.ts';
import { Thumbnails } from './thumbnails.ts';
import { Viewer } from './viewer.ts';

/** What the html uses of this script: `M2FP.preview`. */
export interface PreviewScript {
  start(): void;
  stop(): void;
  /** To be called when the node's button was pressed, which has changed `node.active` already. */
  toggled(node: CanvasNode): void;
}

const page = globalThis as unknown as {
  RED: EditorRed;
  $: Ajax;
  M2FP?: { preview?: PreviewScript };
};

function createPreview(RED: EditorRed, $: Ajax): PreviewScript {
  const viewer = new Viewer(RED, $);
  const thumbnails = new Thumbnails(RED, $, (id) => void viewer.open(id));
  const style = element('style', {}, STYLE);

  /** Tells the runtime, and `then` where it may. */
  const tell = (node: CanvasNode, then: () => void): void => {
    const state = node.active ? 'enable' : 'disable';
    const url = `m2fp/previews/${encodeURIComponent(node.id)}/${state}`;
    $.ajax({ url, type: 'POST', contentType: 'application/json' }).then(
      then,
      (response: { status: number }) => {
        // Not deployed yet: it begins with what its form says.
        if (response.status === 404) return then();
        node.active = !node.active;
        node.dirty = true;
        RED.view.redraw();
        // Node-RED answers 401 to who is logged in, too, but has not the permission.
        const isForbidden = response.status === 401 || response.status === 403;
        RED.notify(text(RED, isForbidden ? 'forbidden' : 'unreachable'), { type: 'error' });
      },
    );
  };

  return {
    start() {
      document.head.append(style);
      thumbnails.start();
    },
    stop() {
      thumbnails.stop();
      viewer.close();
      style.remove();
    },
    toggled(node) {
      tell(node, () => {
        RED.history.push({
          t: 'edit',
          node,
          changes: { active: !node.active },
          dirty: node.dirty,
          changed: node.changed,
          callback: (event: { node: CanvasNode }) => tell(event.node, () => {}),
        });
        node.changed = true;
        node.dirty = true;
        RED.nodes.dirty(true);
        RED.view.redraw();
      });
    },
  };
}

page.M2FP ??= {};
page.M2FP.preview ??= createPreview(page.RED, page.$);
