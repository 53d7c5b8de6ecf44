// The list without a job: three experiments to begin with, and the same from a shell.
import { ROOT, asCurl, getOnce, post } from "../api.js";
import { copy, h } from "../dom.js";
import { go } from "../navigation.js";
import { empty, failure } from "../states.js";

// Cheap examples of different kinds: paths on a surface, two hundred seeds, a grid of learning rates.
const FIRST = ["ravine-race", "flipnet-half", "speedup-3-5"];

/** Show examples if there is no job. */
export async function first(signal) {
  const { items } = await getOnce("/v1/presets");
  const cards = FIRST.map((name) => items.find((one) => one.name === name))
    .filter(Boolean)
    .map((preset) => {
      const trouble = h("div", {});
      const run = async () => {
        try {
          const { id } = await post("/v1/jobs", { preset: preset.name }, { signal });
          go(`/jobs/${id}`);
        } catch (error) {
          trouble.replaceChildren(failure(error));
        }
      };
      return h(
        "section",
        { class: "card" },
        h("h3", {}, preset.title),
        h("p", {}, preset.sentence),
        h("button", { type: "button", class: "main", "aria-label": `Run: ${preset.title}`, onclick: run }, "Run"),
        trouble,
      );
    });
  const command = asCurl("POST", "/v1/jobs", { preset: FIRST[0] });
  return empty(
    "No jobs yet",
    h(
      "p",
      {},
      "A job trains optimizers on the same problem, from the same seeds, and says which wins. Three to begin with:",
    ),
    h("div", { class: "cards" }, cards),
    h("p", {}, h("a", { href: `${ROOT}/presets` }, "All presets")),
    h("p", {}, "The same from a shell:"),
    h(
      "div",
      { class: "command" },
      h("code", {}, command),
      h("button", { type: "button", onclick: () => copy(command, "Command") }, "Copy"),
    ),
  );
}
