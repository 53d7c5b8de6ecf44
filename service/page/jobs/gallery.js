// The figures that fit an ended job, drawn by the server: intervals, ranks, targets, paths, heat map, trials, importance.
import { changeAddress, readAddress } from "../address.js";
import { ROOT, send } from "../api.js";
import { isDark } from "../appearance.js";
import { h } from "../dom.js";
import { mark } from "../marks.js";
import { failure } from "../states.js";
import { PICTURES, fitting } from "./downloads.js";

const HEIGHT = 440;

/** Make the part: {element, load()}; the chosen figure is in the address. Nothing is drawn before one is chosen. */
export function gallery({ id, spec }, catalogue, signal) {
  // The curves are drawn above.
  const kinds = fitting(spec, catalogue).filter((kind) => kind !== "loss");
  const place = h("figure", {});
  const buttons = kinds.map((kind) =>
    h("button", { type: "button", "data-value": kind, onclick: () => choose(kind) }, PICTURES[kind]),
  );
  const element = h(
    "section",
    { class: "panel", "aria-label": "Figures", hidden: true },
    h("h2", {}, "Figures"),
    h("div", { class: "group", role: "group", "aria-label": "Figure" }, buttons),
    place,
  );
  let asking = null;

  async function choose(kind) {
    changeAddress({ figure: kind });
    await load();
  }

  async function load() {
    element.hidden = false;
    const chosen = kinds.find((kind) => kind === readAddress().get("figure"));
    for (const button of buttons) button.setAttribute("aria-pressed", String(button.dataset.value === chosen));
    if (!chosen) return;
    asking?.abort();
    const mine = (asking = new AbortController());
    const width = Math.min(1200, Math.max(320, 40 * Math.round(element.clientWidth / 40)));
    const path = `/v1/jobs/${id}/plot.svg?kind=${chosen}&width=${width}&height=${HEIGHT}${isDark() ? "&dark=true" : ""}`;
    try {
      const answer = await send("GET", path, { signal: AbortSignal.any([signal, mine.signal]) });
      const text = new DOMParser().parseFromString(await answer.text(), "image/svg+xml").querySelector("desc").textContent;
      place.replaceChildren(
        h("img", { src: ROOT + path, alt: text, width, height: HEIGHT }),
        h("figcaption", { class: "caption" }, text),
      );
      mark(element, "figure", chosen);
    } catch (error) {
      if (error.name !== "AbortError") place.replaceChildren(failure(error));
    }
  }

  return { element, load };
}
