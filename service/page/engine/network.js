// The forward pass of a small network over points of the plane: the output, and the value of every hidden unit.

// The inputs computed from a point, as in worker/engine/supervised/plane_features.py.
const FEATURES = {
  x: ([x]) => x,
  y: ([, y]) => y,
  x2: ([x]) => x * x,
  y2: ([, y]) => y * y,
  xy: ([x, y]) => x * y,
  sin_x: ([x]) => Math.sin(5 * x),
  sin_y: ([, y]) => Math.sin(5 * y),
};

const ACTIVATIONS = {
  relu: (value) => Math.max(0, value),
  tanh: Math.tanh,
  sigmoid: (value) => 1 / (1 + Math.exp(-value)),
  linear: (value) => value,
};

/**
 * Compute the values of all units at some points: a list of layers of units of values at each point; the last is the
 * probability of class 1, or the number of a regression. `weights` are layer after layer the matrix, one row for each unit, then the biases.
 */
export function unitsOf({ features, widths, activation, output }, weights, points) {
  const act = ACTIVATIONS[activation];
  let values = features.map((name) => points.map(FEATURES[name]));
  let from = 0;
  return widths.slice(1).map((num, layer) => {
    const isLast = layer === widths.length - 2;
    const before = values;
    const biases = from + num * before.length;
    values = Array.from({ length: num }, (_, unit) => {
      const row = from + unit * before.length;
      return points.map((_point, at) => {
        let sum = weights[biases + unit];
        for (let input = 0; input < before.length; input += 1) sum += weights[row + input] * before[input][at];
        return isLast ? ACTIVATIONS[output](sum) : act(sum);
      });
    });
    from = biases + num;
    return values;
  });
}
