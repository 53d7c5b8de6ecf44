// Numbers of seeds and of starts of a spec.

/** Count seeds; a spec without seeds has one. */
export const numSeeds = ({ seeds }) => (Array.isArray(seeds) ? seeds.length : (seeds?.count ?? 1));

/** Count the starts of a problem. */
export function numStarts({ starts }) {
  if (!starts) return 1;
  if (Array.isArray(starts)) return starts.length;
  return starts.random ?? starts.x.num * (starts.y?.num ?? 1);
}
