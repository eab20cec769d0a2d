/** The parts of the network that can be int8, by the names that the graph's builders give them ({@link GraphBuilder.part}). */

export const PARTS = {
  'stem.conv1': "the stem's first convolution, which sees the picture",
  'stem.conv2': "the stem's second convolution",
  'stem.conv3': "the stem's third convolution",
  res2: 'the first stage of the backbone',
  res3: 'its second stage',
  res4: 'its third stage',
  res5: 'its last stage',
  projections: 'from the backbone to the pixel decoder',
  fpn: 'the finest map of the pixel decoder',
  'encoder.attention': "linear layers of the encoder's attention",
  'encoder.ffn': 'feed-forward layers of the encoder',
  keys: "what the decoder's queries look at: keys and values",
} as const;

export type Part = keyof typeof PARTS;

/**
 * What becomes int8 unless somebody says otherwise: all that is much work and loses nothing (docs/performance.md). Not the
 * first convolution, which bears least and with weights of 8 bits does harm, and not the decoder and the heads, which are
 * little work.
 */
export const DEFAULT_PARTS: readonly Part[] = [
  'stem.conv2',
  'stem.conv3',
  'res2',
  'res3',
  'res4',
  'res5',
  'projections',
  'fpn',
  'encoder.attention',
  'encoder.ffn',
];
