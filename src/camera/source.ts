/** A camera's source, of whichever kind. */
import { MjpegSource } from './http/mjpeg.ts';
import { type HttpSourceOptions, SnapshotSource } from './http/snapshot.ts';
import { withoutSecrets } from './masked-source.ts';
import type { FrameSource } from './types.ts';
import { VideoSource, type VideoSourceOptions } from './video/video.ts';

export interface SourceOptions extends HttpSourceOptions, VideoSourceOptions {
  kind: 'snapshot' | 'mjpeg' | 'video';
}

/**
 * Connects to nothing yet. No error of it tells a password, a token or the query of an address.
 * @throws {M2fpError} `M2FP_BAD_OPTION` for an address that is none of that kind
 */
export function createSource(options: SourceOptions): FrameSource {
  return withoutSecrets(options, () => {
    if (options.kind === 'snapshot') return new SnapshotSource(options);
    return options.kind === 'mjpeg' ? new MjpegSource(options) : new VideoSource(options);
  });
}
