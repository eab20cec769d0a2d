/**
 * Where a fact about a model comes from: read from `configuration.json`, inferred from the checkpoint's
 * tensors, said by the user, or M2FP's default because nothing tells.
 */
export type Origin = 'configuration' | 'tensors' | 'user' | 'default';

/** Facts by name, for example `decoder.heads` or `labels`. */
export type Origins = Record<string, Origin>;
