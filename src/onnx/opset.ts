/** Versions of ONNX's operator set that graphs can be written in. */
export type Opset = 17 | 20;

/** The one that they are written in unless told. */
export const OPSET: Opset = 20;

/** The versions of the file format that came with them (ONNX 1.12 and 1.15). */
export const IR_VERSIONS: Record<Opset, number> = { 17: 8, 20: 9 };
