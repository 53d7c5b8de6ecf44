// The result of a training: verdict, warnings, a line for each optimizer, and links.
import { ROOT, asCurl, get } from "../api.js";
import { copy, h } from "../dom.js";
import { estimate, short } from "../format.js";
import { plainLabel } from "../labels.js";
import { swatch } from "../plot/swatch.js";
import { describing, reached, verdictLines } from "../verdict.js";

/** Show the comparison of an ended job: the verdict in one element, the figures in another. */
export async function showVerdict(element, figures, job, styles, signal) {
  const found = await get(`/v1/jobs/${job.id}/comparison`, { signal });
  if (signal.aborted) return;
  const settings = found.labels.flatMap(({ settings: list }) => list);
  const scored = ["test_accuracy", "accuracy"].find((name) => settings.some((one) => one[name])) ?? null;
  const target = found.target.loss;
  const columns = [
    "Optimizer",
    "Final loss",
    ...(scored ? [scored.replace("_", " ").replace(/^./, (letter) => letter.toUpperCase())] : []),
    target === null ? "To target" : `To loss ${short(target)}`,
  ];
  const row = (one) =>
    h(
      "tr",
      {},
      h("th", { scope: "row" }, styles.has(one.label) ? swatch(styles.get(one.label)) : "", ` ${plainLabel(one.label)}`),
      h(
        "td",
        { class: "number" },
        one.diverged ? `${one.diverged} of ${one.runs} diverged` : estimate(one.final_loss?.median),
      ),
      scored ? h("td", { class: "number" }, estimate(one[scored]?.median)) : "",
      h("td", { class: "number" }, reached(one, "epoch") ?? "–"),
    );
  element.replaceChildren(...verdictLines(found));
  figures.hidden = false;
  figures.replaceChildren(
    h(
      "div",
      { class: "table", tabindex: 0, role: "region", "aria-label": "Figures of the training" },
      h(
        "table",
        {},
        h(
          "thead",
          {},
          h(
            "tr",
            {},
            columns.map((name, at) => h("th", { scope: "col", class: at ? "number" : null }, name)),
          ),
        ),
        h("tbody", {}, settings.map(row)),
      ),
    ),
    h("p", { class: "caption" }, describing(settings.map((one) => one.final_loss))),
    h(
      "div",
      { class: "row" },
      h("a", { href: `${ROOT}/jobs/${job.id}` }, "All of this job"),
      h(
        "button",
        { type: "button", class: "quiet", onclick: () => copy(asCurl("POST", "/v1/jobs", job.spec), "Command") },
        "Copy as curl",
      ),
    ),
  );
}
