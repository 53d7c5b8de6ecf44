// Several jobs compared: the verdict over problems, ranks, performance profiles and runtimes.
import { changeAddress, readAddress } from "../address.js";
import { ROOT, asCurl, get } from "../api.js";
import { copy, h, newId } from "../dom.js";
import { count, estimate, short } from "../format.js";
import { plainLabel } from "../labels.js";
import { countUp } from "../marks.js";
import { lineStyles } from "../palette.js";
import { curves } from "../plot/curves.js";
import { named } from "../plot/swatch.js";
import { failure, loading } from "../states.js";
import { chip } from "../status.js";
import { table } from "../table.js";
import { percent, verdictLines } from "../verdict.js";

/** Show the comparison of the jobs whose ids are in a text; ends when the signal aborts. */
export async function showAcross(root, jobs, signal) {
  const trouble = h("div", {});
  const answer = h("section", { class: "answer", "aria-label": "Verdict", "aria-live": "polite" });
  const tables = h("div", { class: "across" });
  const id = newId("target");
  const target = h("input", {
    id,
    type: "number",
    step: "any",
    placeholder: "of each problem",
    "data-field": "target",
    value: readAddress().get("target") ?? "",
    onchange: () => {
      changeAddress({ target: target.value });
      load();
    },
  });
  const pictures = [
    picture("Performance profile", "epochs, as a multiple of the fewest", "share of instances", signal),
    picture("Runtimes", "epochs", "share of targets reached", signal),
  ];
  const query = () => {
    const loss = readAddress().get("target");
    return `/v1/comparison?${new URLSearchParams({ jobs, ...(loss ? { target: loss } : {}) })}`;
  };
  const curl = () => copy(asCurl("GET", query()), "Command");
  root.append(
    h("h1", {}, "Jobs compared"),
    h(
      "div",
      { class: "row" },
      h("a", { href: `${ROOT}/jobs` }, "All jobs"),
      h("div", { class: "field" }, h("label", { for: id }, "Loss to reach in every job"), target),
      h("button", { type: "button", class: "quiet", onclick: curl }, "Copy as curl"),
    ),
    trouble,
    answer,
    h("div", { class: "pair" }, pictures.map(({ element }) => element)),
    tables,
  );
  let asked = null;

  async function load() {
    asked?.abort();
    const mine = (asked = new AbortController());
    const parts = [answer, tables, ...pictures.map(({ element }) => element)];
    for (const part of parts) part.setAttribute("aria-busy", "true");
    try {
      show(await get(query(), { signal: AbortSignal.any([signal, mine.signal]) }));
      trouble.replaceChildren();
    } catch (error) {
      if (error.name === "AbortError") return;
      // What was shown answers another question.
      answer.replaceChildren();
      tables.replaceChildren();
      for (const one of pictures) one.element.hidden = true;
      trouble.replaceChildren(failure(error));
    }
    for (const part of parts) part.removeAttribute("aria-busy");
    countUp(root, "drawn");
  }

  function show(found) {
    const names = found.labels.map(({ label }) => label);
    const styles = () => new Map(lineStyles(names.map(kindOf)).map((style, at) => [names[at], style]));
    const lines = (key, x) => () =>
      found.labels.map((one) => ({
        label: plainLabel(one.label),
        style: styles().get(one.label),
        x,
        y: one[key].share,
        low: one[key].low,
        high: one[key].high,
      }));
    answer.replaceChildren(...verdictLines(found));
    pictures[0].draw(lines("profile", found.profile_ratios), profileWords(found));
    pictures[1].draw(lines("runtimes", found.budgets), runtimeWords(found));
    tables.replaceChildren(...labelsTable(found, styles()), ...problemsTable(found), ...jobsTable(found));
  }

  await loading(root, load());
}

/** Make a figure of shares over a logarithmic axis: {element, draw(series, words)}. */
function picture(title, xTitle, yTitle, signal) {
  const place = h("div", { class: "lines" });
  const chart = curves(place, signal);
  const words = h("figcaption", { class: "caption" });
  const element = h("figure", { "aria-label": title, hidden: true }, h("h2", {}, title), place, words);
  return {
    element,
    draw(series, text) {
      element.hidden = false;
      words.textContent = text;
      chart.draw({ series, xTitle, yTitle, logX: true, logY: false, text: `${title}. ${text}` });
    },
  };
}

const kindOf = (label) => label.split(" ")[0];

/** Say who solves the most, and who needs the fewest epochs most often. */
function profileWords({ labels }) {
  const first = labels.map(({ label, profile: { share } }) => [plainLabel(label), share[0]]);
  const list = first.map(([label, share]) => `${label} ${percent(share)}`).join(", ");
  const left = `At the left: share of instances on which a label needs the fewest epochs (${list}).`;
  return `${left} At the right: share that it solves.`;
}

const runtimeWords = ({ labels }) =>
  `Share of the targets that are reached within so many epochs; in the end ${labels
    .map(({ label, runtimes: { share } }) => `${plainLabel(label)} ${percent(share.at(-1))}`)
    .join(", ")}.`;

function labelsTable({ ranks, labels, best }, styles) {
  const of = (name) => labels.find(({ label }) => label === name);
  const isMarked = best.length < labels.length;
  const columns = [
    {
      name: "Label",
      cell: ({ label }) => [
        ...named(label, styles),
        isMarked && best.includes(label)
          ? h("span", { class: "chip good best" }, best.length > 1 ? "among the best" : "best")
          : "",
      ],
      row: true,
    },
    { name: "Rank", cell: ({ low, high }) => (low === high ? String(low) : `${low}–${high}`), number: true },
    { name: "Score", cell: ({ label }) => estimate(of(label).score), number: true },
    { name: "Solved", cell: ({ label }) => percent(of(label).solved), number: true },
  ];
  return [h("h2", {}, "Labels"), table("Labels", columns, ranks)];
}

function problemsTable({ problems }) {
  const columns = [
    { name: "Problem", cell: ({ name }) => name, row: true },
    { name: "Fewest epochs", cell: ({ fewest }) => fewest.map(plainLabel).join(", ") },
    { name: "Loss to reach", cell: ({ target: { loss, reason } }) => (loss === null ? reason : short(loss)) },
    { name: "Epochs of a run", cell: ({ epochs }) => epochs.toLocaleString("en"), number: true },
    { name: "Seeds", cell: ({ seeds }) => String(seeds), number: true },
  ];
  return [h("h2", {}, count(problems.length, "problem")), table("Problems", columns, problems)];
}

function jobsTable({ jobs }) {
  const columns = [
    { name: "Job", cell: ({ job_id: id, name }) => h("a", { href: `${ROOT}/jobs/${id}` }, name), row: true },
    { name: "Status", cell: ({ status }) => chip(status) },
    { name: "Settings that stand for the labels", cell: ({ settings }) => settings.map(plainLabel).join(", ") },
    { name: "Judging seeds", cell: ({ judging_seeds: num }) => String(num), number: true },
  ];
  return [h("h2", {}, "Jobs"), table("Jobs", columns, jobs)];
}
