// Tables that scroll by themselves where they are too wide.
import { h } from "./dom.js";

/** Make a table. A column is {name, cell(item), number, row}: `number` is set to the right, `row` names its row. */
export function table(label, columns, items) {
  const head = h(
    "tr",
    {},
    columns.map(({ name, number }) => h("th", { scope: "col", class: number && "number" }, name)),
  );
  return scrolling(
    label,
    h(
      "table",
      {},
      h("thead", {}, head),
      h(
        "tbody",
        {},
        items.map((item) => line(columns, item)),
      ),
    ),
  );
}

/** Make a row of a table. */
export function line(columns, item) {
  const cells = columns.map(({ cell, number, row }) => {
    const content = [cell(item) ?? "–"]
      .flat()
      .flatMap((part) => (number && typeof part === "string" ? broken(part) : [part]));
    return row
      ? h("th", { scope: "row", class: "setting" }, ...content)
      : h("td", { class: number && "number" }, ...content);
  });
  return h("tr", {}, cells);
}

/** Let a table scroll, with the keyboard too. */
const scrolling = (label, element) =>
  h("div", { class: "table", tabindex: 0, role: "region", "aria-label": label }, element);

/** An interval may go to the next line, as a whole. */
function broken(text) {
  const at = text.indexOf(" (");
  return at < 0 ? [text] : [text.slice(0, at + 1), h("span", { class: "interval" }, text.slice(at + 1))];
}
