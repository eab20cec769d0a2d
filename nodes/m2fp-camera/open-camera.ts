/** The camera that a form describes. */
import type { NodeAPI } from 'node-red';
import {
  type CameraOptions,
  createSource,
  type FrameSource,
  MotionGate,
  type TlsOptions,
} from '../../src/camera/index.ts';
import type { Ffmpeg } from '../../src/ffmpeg.ts';
import { type CameraCredentials, type CameraSettings, chosenCredentials } from './config.ts';

const SECOND = 1000;
const MEBIBYTE = 2 ** 20;

/** Node-RED's config node for TLS. */
interface TlsNode {
  addTLSOptions(options: TlsOptions): TlsOptions;
}

/** What the chosen config node says of TLS; nothing where none is chosen. */
export function tlsOf(RED: NodeAPI, id: string): TlsOptions {
  const node = RED.nodes.getNode(id) as unknown as Partial<TlsNode> | null;
  return node?.addTLSOptions?.({}) ?? {};
}

/**
 * Connects to nothing yet.
 * @param onFfmpeg told which ffmpeg reads it, where one does
 * @throws {M2fpError} `M2FP_BAD_OPTION` for an address that is none
 */
export function openSource(
  settings: CameraSettings,
  entered: CameraCredentials | undefined,
  tls: TlsOptions,
  onFfmpeg: (ffmpeg: Ffmpeg) => void = () => {},
): FrameSource {
  const { source, address, timeout, maxSize, ffmpeg, rate, paced, loop } = settings;
  return createSource({
    kind: source,
    address,
    credentials: chosenCredentials(settings, entered),
    limits: { timeout: timeout * SECOND, maxBytes: maxSize * MEBIBYTE },
    tls,
    ffmpeg,
    rate: rate || undefined,
    isPaced: paced,
    isLooped: loop,
    onFound: onFfmpeg,
  });
}

/** What keeps still frames back; undefined where the form wants all of them. */
export function motionOf(settings: CameraSettings): CameraOptions['motion'] {
  const { motion, motionShare, motionThreshold, keepAlive, ignored } = settings;
  if (!motion) return undefined;
  const gate = new MotionGate({
    share: motionShare / 100,
    threshold: motionThreshold,
    ignored: ignored.filter(({ kind }) => kind === 'zone').map(({ points }) => points),
  });
  return { gate, keepAlive: keepAlive * SECOND };
}
