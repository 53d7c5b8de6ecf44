// All presets: the experiments of the lessons by kind of problem, each opened in the view that fits it.
import { changeAddress, readAddress } from "../address.js";
import { asCurl, getOnce } from "../api.js";
import { getCatalogue } from "../catalogue.js";
import { copy, h, newId } from "../dom.js";
import { count } from "../format.js";
import { countUp, mark } from "../marks.js";
import { failure, loading } from "../states.js";
import { open } from "./opening.js";

/** Show the view; ends when the signal aborts. */
export async function show(root, { signal }) {
  const [catalogue, { items }] = await loading(root, Promise.all([getCatalogue(), getOnce("/v1/presets")]));
  if (signal.aborted) return;
  const id = newId("find");
  const said = h("p", { class: "caption", role: "status" });
  const find = h("input", {
    id,
    type: "search",
    maxlength: 100,
    value: readAddress().get("q") ?? "",
    oninput: () => {
      changeAddress({ q: find.value });
      filter();
    },
  });
  const cards = new Map(items.map((preset) => [preset, cardOf(preset, catalogue, signal)]));
  const groups = catalogue.problems
    .map(({ kind, title }) => ({ title, presets: items.filter(({ problem }) => problem === kind) }))
    .filter(({ presets }) => presets.length)
    .map(({ title, presets }) => ({
      presets,
      element: h(
        "section",
        { "aria-label": title },
        h("h2", {}, title),
        h("div", { class: "cards" }, presets.map((preset) => cards.get(preset))),
      ),
    }));

  /** Show the presets that have all words of the search in their name, title or sentence. */
  function filter() {
    const words = find.value.toLowerCase().split(/\s+/).filter(Boolean);
    const fits = ({ name, title, sentence }) => {
      const text = `${name} ${title} ${sentence}`.toLowerCase();
      return words.every((word) => text.includes(word));
    };
    for (const [preset, card] of cards) card.hidden = !fits(preset);
    for (const { presets, element } of groups) element.hidden = !presets.some(fits);
    const num = items.filter(fits).length;
    said.textContent = num ? count(num, "preset") : "No presets match";
  }

  filter();
  root.append(
    h("h1", {}, "Presets"),
    h("p", { class: "lead" }, "Experiments whose settings show something. Each opens in the view that fits it."),
    h("div", { class: "row filters" }, h("div", { class: "field" }, h("label", { for: id }, "Contains"), find), said),
    ...groups.map(({ element }) => element),
  );
  countUp(root, "drawn");
}

function cardOf({ name, title, sentence }, catalogue, signal) {
  const trouble = h("div", {});
  const run = h("button", { type: "button", class: "main", "aria-label": `Run: ${title}` }, "Run");
  const curl = () => copy(asCurl("POST", "/v1/jobs", { preset: name }), "Command");
  run.addEventListener("click", async () => {
    run.disabled = true;
    try {
      await open(name, catalogue, signal);
    } catch (error) {
      if (error.name !== "AbortError") trouble.replaceChildren(failure(error));
    }
    run.disabled = false;
  });
  const card = h(
    "section",
    { class: "card", "aria-label": title },
    h("h3", {}, title),
    h("p", {}, sentence),
    h(
      "div",
      { class: "row" },
      run,
      h("button", { type: "button", class: "quiet", "aria-label": `Copy as curl: ${title}`, onclick: curl }, "Copy as curl"),
    ),
    trouble,
  );
  mark(card, "preset", name);
  return card;
}
