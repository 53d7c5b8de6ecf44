// The first step of a lesson: who says it, and how it is judged.
import { h } from "../dom.js";
import { count } from "../format.js";

/** Show where the statement comes from, and by which rule it is judged. */
export const claim = ({ texts, sources, criterion, presets }) =>
  h(
    "div",
    {},
    h("p", {}, texts.includes("ours") ? "A statement of this project." : `Said by ${listed(sources)}.`),
    h("p", {}, `It is judged by: ${criterion}`),
    h("p", { class: "caption" }, `${count(presets.length, "experiment")} of this server: ${listed(presets.map(({ title }) => title))}.`),
  );

const listed = (names) => (names.length > 1 ? `${names.slice(0, -1).join(", ")} and ${names.at(-1)}` : names[0]);
