/** Frames, and where they come from. */

/** A picture of a camera. */
export interface Frame {
  /** Encoded, as the camera sent it: JPEG, of a snapshot whatever the camera gives. */
  image: Buffer;
  /** Counted from 1 since the camera was started. */
  number: number;
  /** When it arrived, milliseconds since 1970. */
  time: number;
}

/** What gives the pictures of one camera. */
export interface FrameSource {
  /**
   * Whether pictures come by themselves and grow old: then they are always read, and only the newest is kept. Otherwise the
   * next one comes when it is asked for.
   */
  readonly isLive: boolean;
  /** Whether each picture counts, as in a file that is read as fast as it is parsed: none may be left out for a newer one. */
  readonly isComplete: boolean;
  /**
   * Connects, and gives encoded pictures until it ends, or is ended by `return()` or `signal`; nothing is left open then.
   * @throws {CameraError} where no picture comes; the signal's reason
   */
  open(signal: AbortSignal): AsyncGenerator<Buffer, void>;
}

/** What limits one connection to a camera. */
export interface SourceLimits {
  /** Milliseconds until a connection, the first picture, and from one picture to the next. */
  timeout: number;
  /** Bytes of one picture. */
  maxBytes: number;
}

/** How a camera logs in. */
export interface Credentials {
  user?: string;
  password?: string;
  /** Sent as `Authorization: Bearer`. */
  token?: string;
}
