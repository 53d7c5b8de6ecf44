// A dataset: its size, its columns with their kinds and values, and its first rows.
import { ROOT } from "../api.js";
import { h } from "../dom.js";
import { count, short } from "../format.js";
import { table } from "../table.js";

// Most columns of a table; the API has all of them.
const MOST = 200;

/** Describe a dataset; `rows` is the answer about its first rows. */
export function datasetPart({ id, name, columns, shape, rows: num, created_at: created }, rows) {
  const [first] = columns;
  const shown = columns.slice(0, MOST);
  const number = (key) => ({ name: key, cell: (column) => short(column[key], 4), number: true });
  const counted = (key) => ({ name: key, cell: (column) => column[key]?.toLocaleString("en"), number: true });
  return [
    h("h2", {}, name),
    h(
      "p",
      { class: "caption" },
      sizeWords(first, num, shape),
      ". ",
      created ? h("a", { href: `${ROOT}/v1/datasets/${id}/file`, download: true }, "Download") : "Built in.",
    ),
    table(
      "Columns",
      [
        { name: "column", cell: (column) => column.name, row: true },
        { name: "kind", cell: ({ kind }) => kind },
        counted("missing"),
        counted("distinct"),
        number("min"),
        number("mean"),
        number("max"),
      ],
      shown,
    ),
    shown.length < columns.length && h("p", { class: "caption" }, `${columns.length - shown.length} more columns.`),
    h("h3", {}, first.kind === "text" ? "First lines" : "First rows"),
    firstRows(rows, columns),
  ].filter(Boolean);
}

function sizeWords({ kind }, num, shape) {
  if (kind === "text") return count(num, "character");
  if (kind === "image") return `${count(num, "image")} of ${shape.slice(1).join(" × ")}`;
  return `${count(num, "row")}, ${count(shape[1], "column")}`;
}

function firstRows({ columns: names, rows }, columns) {
  const kinds = new Map(columns.map(({ name, kind }) => [name, kind]));
  return table(
    "First rows",
    names.slice(0, MOST).map((name, at) => ({
      name,
      cell: (row) => valueWords(row[at], kinds.get(name)),
      number: kinds.get(name) === "number",
    })),
    rows,
  );
}

function valueWords(value, kind) {
  if (value === null) return h("span", { class: "caption" }, "missing");
  if (kind === "image") return picture(value);
  return kind === "number" ? short(value, 6) : String(value);
}

/** Draw an image [height][width][channels]: its own brightness, from the smallest to the largest pixel. */
function picture(pixels) {
  const [height, width] = [pixels.length, pixels[0].length];
  const all = pixels.flat(2);
  const [low, high] = [Math.min(...all), Math.max(...all)];
  const canvas = h("canvas", { width, height, class: "pixels", role: "img", "aria-label": `${width} × ${height} pixels` });
  const context = canvas.getContext("2d");
  const image = context.createImageData(width, height);
  pixels.flat().forEach((channels, at) => {
    const bytes = channels.map((value) => (high > low ? (255 * (value - low)) / (high - low) : 0));
    const [red, green, blue] = bytes.length >= 3 ? bytes : [bytes[0], bytes[0], bytes[0]];
    image.data.set([red, green, blue, 255], 4 * at);
  });
  context.putImageData(image, 0, 0);
  return canvas;
}
