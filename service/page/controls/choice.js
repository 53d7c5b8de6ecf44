// A choice of one among a few, as buttons side by side.
import { h } from "../dom.js";

/** Make the buttons: `options` has the words by value; `choose(value)` follows each choice. */
export function choice({ name, value, options, choose }) {
  const group = h(
    "div",
    { class: "group", role: "group", "aria-label": name },
    Object.entries(options).map(([one, words]) =>
      h(
        "button",
        {
          type: "button",
          "aria-pressed": String(one === value),
          onclick: (event) => {
            for (const button of group.children)
              button.setAttribute("aria-pressed", String(button === event.currentTarget));
            choose(one);
          },
        },
        words,
      ),
    ),
  );
  return group;
}
