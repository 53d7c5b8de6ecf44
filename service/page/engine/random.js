// Counter-based normal numbers, the same as worker/engine/numerics/random.py draws: a function of seed, stream and step.

// The streams of gradient noise, of the points of the playground, and of `normal` in an update rule.
export const NOISE = 0;
export const POINTS = 5;
export const UPDATES = 6;
const [MULTIPLIER_0, MULTIPLIER_1] = [0xd2511f53, 0xcd9e8d57];
const [KEY_STEP_0, KEY_STEP_1] = [0x9e3779b9, 0xbb67ae85];
const ROUNDS = 10;

/** Give the high 32 bits of the product of two words. */
function high(a, b) {
  const [aHigh, aLow, bHigh, bLow] = [a >>> 16, a & 0xffff, b >>> 16, b & 0xffff];
  const middle = aHigh * bLow + ((aLow * bLow) >>> 16);
  const other = aLow * bHigh + (middle % 0x10000);
  return (aHigh * bHigh + Math.floor(middle / 0x10000) + Math.floor(other / 0x10000)) >>> 0;
}

/** Give four random words for a counter of four words under a key of two: Philox4x32-10 (Salmon et al., 2011). */
export function philox(counter, key) {
  let [c0, c1, c2, c3] = counter;
  let [k0, k1] = key;
  for (let round = 0; round < ROUNDS; round += 1) {
    const [high0, low0] = [high(MULTIPLIER_0, c0), Math.imul(MULTIPLIER_0, c0) >>> 0];
    const [high1, low1] = [high(MULTIPLIER_1, c2), Math.imul(MULTIPLIER_1, c2) >>> 0];
    [c0, c1, c2, c3] = [(high1 ^ c1 ^ k0) >>> 0, low1, (high0 ^ c3 ^ k1) >>> 0, low0];
    k0 = (k0 + KEY_STEP_0) >>> 0;
    k1 = (k1 + KEY_STEP_1) >>> 0;
  }
  return [c0, c1, c2, c3];
}

// 53 bits of each pair of words.
const bits = (upper, lower) => upper * 2 ** 21 + (lower >>> 11);

/** Give the four words of a block of a step, counted from 0. */
function words(seed, stream, step, block) {
  const halves = (whole) => [whole >>> 0, Math.floor(whole / 2 ** 32) >>> 0];
  return philox([block, stream, ...halves(step)], halves(seed));
}

/** Give two numbers from 0 to 1, for the two components of a step or of one of its blocks. */
export function uniforms(seed, stream, step, block = 0) {
  const [w0, w1, w2, w3] = words(seed, stream, step, block);
  return [bits(w0, w1) * 2 ** -53, bits(w2, w3) * 2 ** -53];
}

/** Give two standard normal numbers for the two components of a step, counted from 0; one dimension takes the first. */
export function normals(seed, stream, step, block = 0) {
  const [w0, w1, w2, w3] = words(seed, stream, step, block);
  const radius = Math.sqrt(-2 * Math.log((bits(w0, w1) + 1) * 2 ** -53));
  const angle = bits(w2, w3) * (2 * Math.PI * 2 ** -53);
  return [radius * Math.cos(angle), radius * Math.sin(angle)];
}
