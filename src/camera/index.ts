/** Frames of cameras. */
export { Camera, type CameraOptions, type CameraState } from './camera.ts';
export { CameraError, OFFLINE_REASONS, type OfflineReason, reasonOf } from './camera-error.ts';
export { FrameLine } from './frame-line.ts';
export type { TlsOptions } from './http/open.ts';
export { MotionGate } from './motion/motion-gate.ts';
export type { Polygon } from './motion/areas.ts';
export { createSource, type SourceOptions } from './source.ts';
export type { FrameStatistics } from './statistics.ts';
export type { Pace } from './turns.ts';
export type { Credentials, Frame, FrameSource } from './types.ts';
