// Grids of a spec: hyper-parameters that are a list or a range of values instead of one number.

/** Whether a value is a range {from, to, num, scale}. */
const isRange = (value) => value !== null && typeof value === "object" && "num" in value;

/** Give the values of a range, as the API has them. */
export function spaced({ from, to, num, scale }) {
  const step = (at) => (num === 1 ? 0 : at / (num - 1));
  return Array.from({ length: num }, (_, at) =>
    Number((scale === "log" ? from * (to / from) ** step(at) : from + (to - from) * step(at)).toPrecision(12)),
  );
}

/** Count the values of a hyper-parameter: a number has one, a list or a range several. */
const numValues = (value) => (Array.isArray(value) ? value.length : isRange(value) ? value.num : 1);

/** Give the fields of an entry with its hyper-parameters, which a formula has in `parameters`. */
function fieldsOf(entry) {
  if (entry.kind !== "formula") return entry;
  return { lr: entry.lr, ...entry.parameters };
}

/** Count the settings that an entry of the optimizers expands into. */
export const numSettings = (entry) =>
  Object.values(fieldsOf(entry)).reduce((product, value) => product * numValues(value), 1);

/** Name the hyper-parameters of an entry that vary. */
export const varying = (entry) =>
  Object.entries(fieldsOf(entry)).flatMap(([name, one]) => (numValues(one) > 1 ? name : []));

/** List the hyper-parameters of an entry that are a list or a range, with it. */
const gridsOf = (entry) => Object.entries(fieldsOf(entry)).filter(([, value]) => Array.isArray(value) || isRange(value));

/** Whether a value is an interval {from, to, scale}, from which trials are drawn. */
const isInterval = (value) =>
  value !== null && typeof value === "object" && "from" in value && "scale" in value && !("num" in value);

/** Whether one of several settings of an entry is chosen: it has a grid, or an interval. */
export const isTuned = (entry) => hasGrid(entry) || Object.values(entry).some(isInterval);

/** Whether an entry has several settings. */
export const hasGrid = (entry) => gridsOf(entry).length > 0;

/** Give one entry for each setting of an entry, each with its label. */
export function expanded({ label, ...entry }) {
  const grids = gridsOf(entry);
  if (!grids.length) return [label ? { ...entry, label } : entry];
  let settings = [entry];
  for (const [name, grid] of grids) {
    const values = Array.isArray(grid) ? grid : spaced(grid);
    settings = settings.flatMap((setting) => values.map((value) => ({ ...setting, [name]: value })));
  }
  return settings.map((setting) => ({
    ...setting,
    label: `${label ?? entry.kind} ${grids.map(([name]) => `${name} ${setting[name]}`).join(" ")}`,
  }));
}
