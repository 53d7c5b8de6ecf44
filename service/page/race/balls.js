// Balls that roll along paths in three dimensions: how far each has turned at each step, and a mesh of all of them.

// Radius in units of the scene, whose sides are about 1 long; sectors around a ball, and rings from pole to pole.
const RADIUS = 0.026;
const SECTORS = 12;
const RINGS = 6;
const UPRIGHT = [
  [1, 0, 0],
  [0, 1, 0],
  [0, 0, 1],
];

/** The corners of a ball of radius 1: [x, y, z] of SECTORS corners on each of RINGS + 1 circles of latitude. */
const CORNERS = Array.from({ length: (RINGS + 1) * SECTORS }, (_, at) => {
  const [down, around] = [(Math.PI * Math.floor(at / SECTORS)) / RINGS, (2 * Math.PI * (at % SECTORS)) / SECTORS];
  return [Math.sin(down) * Math.cos(around), Math.sin(down) * Math.sin(around), Math.cos(down)];
});

/** The triangles of a ball: corners, and whether the triangle has the lighter colour. */
const TRIANGLES = Array.from({ length: RINGS * SECTORS }, (_, at) => {
  const [ring, sector] = [Math.floor(at / SECTORS), at % SECTORS];
  const [here, next] = [ring * SECTORS + sector, ring * SECTORS + ((sector + 1) % SECTORS)];
  // Three sectors in one colour, three in the other: stripes that show how the ball turns.
  const isLight = Math.floor(sector / 3) % 2 === 1;
  return [
    { corners: [here, next, here + SECTORS], isLight },
    { corners: [next, next + SECTORS, here + SECTORS], isLight },
  ];
}).flat();

/**
 * Compute how a ball has turned at each step of a path: rotation matrices. It rolls without sliding: over a distance d it
 * turns by d / radius about the horizontal axis across its way. `units` is the length of 1 along each axis in the scene.
 */
export function turns(points, levels, units) {
  let turned = UPRIGHT;
  return points.map((point, at) => {
    if (at === 0) return turned;
    const before = [...points[at - 1], levels[at - 1]];
    const way = [...point, levels[at]].map((one, side) => (one - before[side]) * units[side]);
    const across = Math.hypot(way[0], way[1]);
    const angle = Math.hypot(...way) / RADIUS;
    if (across > 0 && Number.isFinite(angle)) turned = times(about([-way[1] / across, way[0] / across], angle), turned);
    return turned;
  });
}

/** Give the rotation about a horizontal axis (Rodrigues). */
function about([x, y], angle) {
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
  return [
    [cos + x * x * (1 - cos), x * y * (1 - cos), y * sin],
    [x * y * (1 - cos), cos + y * y * (1 - cos), -x * sin],
    [-y * sin, x * sin, cos],
  ];
}

const apply = (matrix, point) => matrix.map((row) => row.reduce((sum, one, at) => sum + one * point[at], 0));

function times(one, other) {
  const columns = [0, 1, 2].map((at) => apply(one, other.map((row) => row[at])));
  return [0, 1, 2].map((row) => columns.map((column) => column[row]));
}

/** Give the corners of all balls at a step: {x, y, z}. Each lies on the surface, turned as far as it has rolled. */
export function cornersAt(drawn, step, units) {
  const corners = drawn.flatMap(({ points, levels, turned }) => {
    const at = Math.min(step, points.length - 1);
    const centre = [...points[at], levels[at] + RADIUS / units[2]];
    return CORNERS.map((corner) => apply(turned[at], corner).map((one, side) => centre[side] + (one * RADIUS) / units[side]));
  });
  const [x, y, z] = [0, 1, 2].map((side) => corners.map((corner) => corner[side]));
  return { x, y, z };
}

/** Make the mesh of all balls at a step; `light` is the colour of the stripes. */
export function balls(drawn, step, units, light) {
  const triangles = drawn.flatMap(({ style }, ball) =>
    TRIANGLES.map(({ corners, isLight }) => ({
      corners: corners.map((corner) => corner + ball * CORNERS.length),
      colour: isLight ? light : style.colour,
    })),
  );
  const [i, j, k] = [0, 1, 2].map((at) => triangles.map(({ corners }) => corners[at]));
  return {
    type: "mesh3d",
    hoverinfo: "skip",
    i,
    j,
    k,
    facecolor: triangles.map(({ colour }) => colour),
    flatshading: true,
    lighting: { ambient: 0.8, diffuse: 0.4, specular: 0.1 },
    ...cornersAt(drawn, step, units),
  };
}
