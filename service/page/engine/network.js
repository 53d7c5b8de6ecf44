// The forward pass of a small network over points of the plane: the output, and the value of every hidden unit.

const ACTIVATIONS = {
  relu: (value) => Math.max(0, value),
  tanh: Math.tanh,
  sigmoid: (value) => 1 / (1 + Math.exp(-value)),
  linear: (value) => value,
};

/**
 * Compute the values of all units at some points: a list of layers of units of values at each point; the last is the
 * probability of class 1. `weights` are layer after layer the matrix, one row for each unit, then the biases.
 */
export function unitsOf({ widths, activation }, weights, points) {
  const act = ACTIVATIONS[activation];
  let values = [points.map(([x]) => x), points.map(([, y]) => y)];
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
        return isLast ? ACTIVATIONS.sigmoid(sum) : act(sum);
      });
    });
    from = biases + num;
    return values;
  });
}
