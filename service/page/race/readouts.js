// The figures of a race: the verdict under the picture, and a line for each optimizer.
import { ROOT, asCurl, get } from "../api.js";
import { copy, h } from "../dom.js";
import { estimate, number, short } from "../format.js";
import { plainLabel } from "../labels.js";
import { swatch } from "../plot/swatch.js";
import { reached, verdictLines } from "../verdict.js";

/**
 * Show the figures of an ended race; `keep()` is called when the page of its job is opened, `steady(labels)` to give a stable
 * rate to the optimizers that diverged.
 */
export async function readouts(element, { job, spec, race, theory, steady, keep }, signal) {
  const found = await get(`/v1/jobs/${job.id}/comparison`, { signal });
  signal.throwIfAborted();
  const target = found.target.loss;
  const settings = found.labels.flatMap((label) => label.settings);
  const rows = settings.map((setting, at) => row(setting, race[at], theory[at]));
  const lost = settings.filter(({ diverged }) => diverged).map(({ label }) => label);
  element.replaceChildren(
    lost.length
      ? h(
          "div",
          { class: "row" },
          h("span", { class: "chip warn" }, `${lost.join(", ")} diverged`),
          h("button", { type: "button", onclick: () => steady(lost) }, "Use a stable rate"),
        )
      : "",
    ...verdictLines(found, notesOf(theory)),
    h("p", { class: "caption" }, ...prospect(found, race, theory)),
    h(
      "div",
      { class: "table", tabindex: 0, role: "region", "aria-label": "Figures of the race" },
      h(
        "table",
        {},
        h(
          "thead",
          {},
          h(
            "tr",
            {},
            [
              "Optimizer",
              target === null ? "To target" : `To loss ${short(target)}`,
              "Final loss",
              "Overshoot",
              "Sign changes",
              "Stability limit",
            ].map((name, at) => h("th", { scope: "col", class: at ? "number" : null }, name)),
          ),
        ),
        h("tbody", {}, rows),
      ),
    ),
    h(
      "div",
      { class: "row" },
      h("a", { href: `${ROOT}/jobs/${job.id}`, onclick: keep }, "All of this job"),
      h(
        "button",
        { type: "button", class: "quiet", onclick: () => copy(asCurl("POST", "/v1/jobs", spec), "Command") },
        "Copy as curl",
      ),
    ),
  );
}

function row(setting, racer, theory) {
  const axes = setting.paths;
  const cells = [
    setting.diverged
      ? `${setting.diverged} of ${setting.runs} diverged`
      : (reached(setting, "step") ?? "–"),
    estimate(setting.final_loss?.median),
    axes ? axes.overshoot.map((value) => short(value)).join(", ") : "–",
    axes ? axes.sign_changes.map((value) => short(value)).join(", ") : "–",
  ];
  return h(
    "tr",
    {},
    h("th", { scope: "row" }, swatch(racer.style), ` ${plainLabel(setting.label)}`),
    cells.map((text) => h("td", { class: "number" }, text)),
    h("td", { class: "number" }, stability(theory?.setting)),
  );
}

/** Show whether a setting is inside its limit of stability. */
function stability(setting) {
  const limit = number(setting?.lr_limit);
  if (limit === null && setting?.inside !== false) return "–";
  const text = limit === null ? "never stable" : `${setting.inside ? "stable" : "unstable"} (limit ${short(limit)})`;
  return h("span", { class: setting.inside ? "chip good" : "chip warn" }, text);
}

/** List the sentences on what theory cannot give for the problem. */
function notesOf(theory) {
  return [...new Set(theory.flatMap((one) => one?.problem.notes ?? []))];
}

/** Describe the rates of the slower methods at their best settings, if theory is exact. */
function prospect(found, race, theory) {
  const target = found.target.loss;
  const sentences = theory.flatMap((one, at) => {
    const best = one?.exact ? one.problem.best.find(({ kind }) => kind === race[at].kind) : null;
    const first = race[at].firstLoss;
    if (!best || !(target > 0) || !(first > target) || !(best.rate > 0)) return [];
    // The loss is proportional to the square of the distance, which shrinks by this factor at every update.
    const steps = Math.ceil(Math.log(target / first) / (2 * Math.log(best.rate)));
    return [
      `${plainLabel(race[at].label)} at its own best (rate ${short(best.lr)}${best.momentum ? `, β ${short(best.momentum)}` : ""}) about ${steps} steps`,
    ];
  });
  return sentences.length ? [`Theory gives to loss ${short(target)}: ${[...new Set(sentences)].join("; ")}.`] : [];
}
