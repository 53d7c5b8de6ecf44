// Examples for an empty view, each started by a click.
import { h } from "../dom.js";

/** List examples {title, sentence, open} as cards. */
export const examples = (list) =>
  h(
    "ul",
    { class: "examples" },
    list.map(({ title, sentence, open }) =>
      h("li", {}, h("button", { type: "button", onclick: open }, h("strong", {}, title), h("span", {}, sentence))),
    ),
  );
