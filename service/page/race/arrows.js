// Arrows at the current step: the step of gradient descent (thin), and the actual step (bold).

/** Give the arrows of all racers of one run at a step; none in one dimension, and none where a path has ended. */
export function arrowsAt(race, step, surface) {
  if (!surface) return [];
  const gradient = [0, 0];
  return race.flatMap(({ runs, style, lr }) => {
    const from = runs.length === 1 && runs[0].position[step];
    const next = from && runs[0].position[step + 1];
    if (!next || next.length !== 2 || !next.every(Number.isFinite)) return [];
    surface(from, gradient);
    const downhill = from.map((value, side) => value - lr * gradient[side]);
    return [
      { from, to: downhill, style },
      { from, to: next, style, bold: true },
    ];
  });
}
