/** Where on the body a part lies, from top to bottom; `things` are carried. */
export const PART_GROUPS = ['head', 'upperBody', 'lowerBody', 'arms', 'legs', 'shoes', 'things'] as const;

export type PartGroup = (typeof PART_GROUPS)[number];
