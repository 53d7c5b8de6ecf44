// One lesson in five steps: statement, guess, runs, figures with measured numbers, and the verdict.
import { ROOT, asCurl, get, getOnce, post } from "../api.js";
import { getCatalogue } from "../catalogue.js";
import { copy, h } from "../dom.js";
import { count, duration, moment, short } from "../format.js";
import { plainLabel } from "../labels.js";
import { mark } from "../marks.js";
import { lineStyles, STYLES } from "../palette.js";
import { curves } from "../plot/curves.js";
import { failure, loading } from "../states.js";
import { table } from "../table.js";
import { claim } from "./claim.js";
import { linked, runs } from "./running.js";
import { guessPart, guessed, isShown, steps } from "./steps.js";
import { kindOf, origin, readingSign, reason, sign } from "./verdict.js";

const POLL_MS = 2_000;

/** Show a lesson; ends when the signal aborts. */
export async function showLesson(root, id, signal) {
  let lesson = await loading(root, get(`/v1/lessons/${id}`, { signal }));
  document.title = `${id} · Ravine`;
  // The catalogue knows the names of optimizers.
  const [others] = await loading(root, Promise.all([neighbours(id), getCatalogue()]));
  const verdict = h("section", { class: "answer", "aria-label": "Verdict", "aria-live": "polite" });
  const course = h("div", {});
  const evidence = h("div", { class: "evidence" });
  const experiments = h("div", {});
  const price = h("p", { class: "caption" });
  const button = h("button", { type: "button", class: "main", onclick: () => start() });
  let drawing = null;

  root.append(
    h("nav", { class: "row steps", "aria-label": "Other lessons" }, ...others),
    h("h1", { class: "statement" }, lesson.statement),
    steps({ claim: claim(lesson), guess: guessPart(), run: run(), figure: evidence, why: verdict }, show),
  );

  function run() {
    const curl = () => copy(asCurl("POST", `/v1/lessons/${id}/jobs`), "Command");
    return h(
      "div",
      {},
      h("div", { class: "row run" }, button, h("button", { type: "button", onclick: curl }, "Copy as curl"), price),
      course,
      h("section", { class: "panel", "aria-label": "Experiments" }, h("h3", {}, "Experiments"), experiments),
    );
  }

  function show() {
    const kind = kindOf(lesson);
    button.textContent = lesson.state === "not run" ? "Run it now" : "Run it again";
    button.disabled = kind === "running";
    mark(root, "verdict", kind);
    verdict.replaceChildren(...answer());
    drawing?.abort();
    drawing = new AbortController();
    signal.addEventListener("abort", () => drawing.abort());
    const found = isShown("figure")
      ? [origin(lesson), ...lesson.figures.map((figure) => picture(figure, drawing.signal)), ...measured(lesson)].filter(Boolean)
      : [];
    evidence.replaceChildren(
      ...(found.length || !isShown("figure") ? found : [h("p", { class: "empty" }, "Nothing is measured yet: run it first.")]),
    );
    experiments.replaceChildren(
      ...lesson.presets.map((preset) =>
        experiment(
          preset,
          lesson.jobs.find((job) => job.preset === preset.name),
        ),
      ),
    );
  }

  function answer() {
    const readings = Object.entries(lesson.readings);
    const stopped =
      lesson.state === "stopped"
        ? h("p", { class: "empty" }, "A job failed, was cancelled or deleted before it was judged. Run the lesson again.")
        : null;
    return [
      guessed(lesson),
      h(
        "div",
        { class: "row judged" },
        sign(lesson),
        reason(lesson) ? h("p", { class: "verdict" }, reason(lesson)) : null,
      ),
      h(
        "p",
        { class: "caption" },
        `Judged by: ${lesson.criterion}${lesson.judged_at ? ` Last: ${moment(lesson.judged_at)}.` : ""}`,
      ),
      origin(lesson),
      lesson.fairness ? h("p", { class: "caption" }, `Why this criterion: ${lesson.fairness}`) : null,
      readings.length > 1
        ? h(
            "ul",
            { class: "readings" },
            readings.map(([reading, holds]) => readingSign(reading, holds)),
          )
        : null,
      stopped,
    ].filter(Boolean);
  }

  async function start() {
    button.disabled = true;
    try {
      lesson = await post(`/v1/lessons/${id}/jobs`, undefined, { signal });
      await watch();
    } catch (error) {
      if (error.name === "AbortError") return;
      button.disabled = false;
      course.replaceChildren(failure(error));
    }
  }

  /** Follow the jobs of the lesson to their ends, then ask for the verdict. */
  async function watch() {
    show();
    const progress = runs(lesson);
    course.replaceChildren(progress.element);
    await progress.follow(signal);
    lesson = await get(`/v1/lessons/${id}`, { signal });
    // Jobs of another key have no events for this one.
    while (kindOf(lesson) === "running") {
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
      lesson = await get(`/v1/lessons/${id}`, { signal });
    }
    course.replaceChildren();
    show();
  }

  show();
  estimated(lesson, signal).then(
    (text) => (price.textContent = text),
    () => {},
  );
  if (kindOf(lesson) === "running") await watch();
}

/** Describe the size of the jobs of a lesson. */
async function estimated({ presets }, signal) {
  const plans = await Promise.all(presets.map(({ spec }) => post("/v1/jobs?dry_run=true", spec, { signal })));
  const sum = (name) => plans.reduce((total, plan) => total + plan[name], 0);
  return [count(presets.length, "job"), count(sum("runs_total"), "run"), count(sum("updates_total"), "update")].join(
    ", ",
  );
}

/** Lead to the lesson before, to all, and to the next. */
async function neighbours(id) {
  const ids = (await getOnce("/v1/lessons")).items.map((lesson) => lesson.id);
  const at = ids.indexOf(id);
  const link = (name, text) => h("a", { href: `${ROOT}/lessons${name ? `/${name}` : ""}` }, text);
  return [
    link("", "All lessons"),
    at > 0 && link(ids[at - 1], `← ${ids[at - 1]}`),
    at < ids.length - 1 && link(ids[at + 1], `${ids[at + 1]} →`),
  ].filter(Boolean);
}

/** Draw one of the lesson's figures. */
function picture({ title, x, y, curves: lines, log_x: logX, log_y: logY }, signal) {
  const place = h("div", { class: "lines" });
  const series = () => {
    const styles = lineStyles(
      lines.map(
        ({ label }) =>
          label
            .toLowerCase()
            .split(/[\s,]/)
            .find((word) => word in STYLES) ?? "",
      ),
    );
    return lines.map((line, at) => ({ ...line, style: styles[at] }));
  };
  curves(place, signal).draw({ series, xTitle: x, yTitle: y, logX, logY });
  const banded = lines.some(({ low }) => low)
    ? h("figcaption", { class: "caption" }, "Line: median; band: from 5 % to 95 % of the runs.")
    : null;
  return h("figure", { "aria-label": title }, h("h2", {}, title), place, banded);
}

/** Show the numbers behind the verdict, beside those of the text. */
function measured({ quantities }) {
  if (!quantities.length) return [];
  const anySaid = quantities.some(({ said }) => said !== null);
  const columns = [
    { name: "Measured", cell: ({ name }) => name.split(", ").map(plainLabel).join(", "), row: true },
    { name: "Value", cell: valued, number: true },
    { name: "Interval", cell: ({ interval }) => interval ?? "", many: quantities.some(({ interval }) => interval) },
    {
      name: "The text",
      cell: ({ said, tolerance }) =>
        said === null ? "" : tolerance === null ? short(said, 5) : `${short(said, 5)} ± ${short(tolerance, 2)}`,
      number: true,
      many: anySaid,
    },
    { name: "Agrees", cell: agrees, many: anySaid },
  ];
  return [
    h(
      "section",
      { "aria-label": "What was measured" },
      h("h2", {}, "What was measured"),
      table(
        "Measured quantities",
        columns.filter(({ many }) => many !== false),
        quantities,
      ),
    ),
  ];
}

function valued({ value, low, high }) {
  if (value === null) return "not measured";
  return low === null ? short(value, 5) : `${short(value, 4)} (${short(low, 4)} to ${short(high, 4)})`;
}

function agrees({ value, said, tolerance }) {
  if (said === null || tolerance === null) return "";
  // Slightly more than the tolerance, which is a rounded decimal; as in service/findings/lessons/finding.py.
  const yes = value !== null && Math.abs(Number(value) - said) <= tolerance * (1 + 1e-9);
  return h("span", { class: yes ? "yes" : "no" }, yes ? "✓ yes" : "✕ no");
}

function experiment({ name, title, sentence }, job) {
  const facts = job?.receipt
    ? `${job.receipt.dtype}, torch ${job.receipt.torch}${job.seconds === null ? "" : `, ${duration(job.seconds)}`}`
    : null;
  const last = job && (job.status ? linked(job, `Its job (${job.status})`) : "Its job has been deleted.");
  return h(
    "section",
    { class: "experiment" },
    h("h3", {}, title),
    h("p", {}, sentence),
    h("p", { class: "caption" }, h("code", {}, name), job ? " · " : "", last ?? "", facts ? ` · ${facts}` : ""),
  );
}
