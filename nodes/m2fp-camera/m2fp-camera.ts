import type { Node, NodeAPI, NodeDef, NodeMessage } from 'node-red';
import { Camera, type CameraState, type Frame } from '../../src/camera/index.ts';
import { deploysOf } from '../common/deploys.ts';
import { asSetupFault } from '../common/failure.ts';
import { Outputs } from '../common/hand-over.ts';
import { handleMessages } from '../common/message-handler.ts';
import { offerPictures } from '../common/next-picture.ts';
import { nameOf } from '../common/refusals.ts';
import { StatusLine } from '../common/status.ts';
import { readForm } from '../common/stored-form.ts';
import { serveAdmin } from './admin.ts';
import { commandOf } from './commands.ts';
import { type CameraConfig, type CameraCredentials, FIELDS, readSettings } from './config.ts';
import { listenToFlow } from './flow-watch.ts';
import { FrameWay } from './frame-way.ts';
import { motionOf, openSource, tlsOf } from './open-camera.ts';
import { CameraReport, tellWrongSettings } from './report.ts';

/** Sends the frames of a camera, as fast as the model takes them. */
export default function (RED: NodeAPI): void {
  serveAdmin(RED);

  function createCamera(this: Node<CameraCredentials>, stored: NodeDef): void {
    RED.nodes.createNode(this, stored);
    const form = readForm(RED, this, FIELDS, stored);
    const status = new StatusLine(RED, this);
    const name = nameOf(this);
    const offer = offerPictures(RED, this);

    const opened = openCamera(RED, this, form.config, status, (image) => offer.pass(image));
    const work = form.guard(status, async (msg, signal) => {
      const { camera, failure } = opened;
      if (!camera) throw failure;
      const command = commandOf(msg, form.config.pace === 'manual');
      if (command === 'next') {
        const frame = await camera.next(signal);
        offer.pass(frame.image);
        return [Object.assign(msg, contentOf(name, frame))];
      }
      if (command === 'start') camera.start();
      else await camera.stop();
      return new Outputs([]);
    });
    handleMessages(RED, this, status, work);

    const unlisten = form.config.pace === 'flow' ? listenToFlow(RED) : () => {};
    let isNew = true;
    const forget = deploysOf(RED).listen({
      started: () => {
        // Before that, what is wired to this node may not be there.
        if (isNew && !opened.camera) tellWrongSettings(this, name, status, opened.failure);
        else if (isNew && form.config.autostart) opened.camera?.start();
        isNew = false;
      },
    });
    // Node-RED waits for it: many cameras take one connection only.
    this.on('close', (_removed: boolean, done: () => void) => {
      forget();
      unlisten();
      offer.close();
      opened.report?.close();
      void (opened.camera?.stop() ?? Promise.resolve()).finally(done);
    });
  }
  RED.nodes.registerType<Node<CameraCredentials>, NodeDef, object, CameraCredentials>(
    'm2fp-camera',
    createCamera,
    { credentials: { user: { type: 'text' }, password: { type: 'password' }, token: { type: 'password' } } },
  );
}

interface Opened {
  camera?: Camera;
  report?: CameraReport;
  /** What is wrong with the form, where there is no camera. */
  failure?: unknown;
}

/** @param look shown every frame of which it is seen whether something moved, also those that do not go out */
function openCamera(
  RED: NodeAPI,
  node: Node<CameraCredentials>,
  config: CameraConfig,
  status: StatusLine,
  look: (image: Buffer) => void,
): Opened {
  try {
    const settings = readSettings(config);
    const motion = motionOf(settings);
    const name = nameOf(node);
    let known: FrameWay | undefined;
    const way = (): FrameWay => (known ??= new FrameWay(RED, node));
    const camera: Camera = new Camera({
      source: openSource(settings, node.credentials, tlsOf(RED, config.tls), ({ path, version }) =>
        node.debug(`ffmpeg ${version} (${path}) reads the camera.`),
      ),
      pace: settings.pace,
      rate: settings.rate || undefined,
      ...(motion && {
        motion: {
          ...motion,
          gate: {
            hasMoved: (image) => {
              look(image);
              return motion.gate.hasMoved(image);
            },
            pass: (image) => motion.gate.pass(image),
          },
        },
      }),
      line: () => way().line,
      deliver: async (frame, onModel) => {
        if (!motion) look(frame.image);
        const msg = { _msgid: RED.util.generateId(), ...contentOf(name, frame) };
        const send = (): void => node.send([msg, null]);
        try {
          if (settings.pace === 'flow') return await way().send(msg, send, onModel);
          send();
        } catch (error) {
          node.error(error);
        }
        return 0;
      },
      onState: (state: CameraState) => report.tell(state),
    });
    const report = new CameraReport(node, name, camera, status);
    return { camera, report };
  } catch (failure) {
    status.error(failure);
    return { failure: asSetupFault(failure) };
  }
}

function contentOf(camera: string, { image, number, time }: Frame): NodeMessage & object {
  return { topic: camera, payload: image, frame: { camera, number, time } };
}
