// All lessons: which of the texts' statements hold, which fail, and which have not been run here.
import { changeAddress, readAddress } from "../address.js";
import { ROOT, get, getOnce, post } from "../api.js";
import { h, newId } from "../dom.js";
import { countUp, mark } from "../marks.js";
import { failure, loading } from "../states.js";
import { VERDICTS, kindOf, reason, sign } from "./verdict.js";

const POLL_MS = 2_000;

/** Show the lessons; ends when the signal aborts. */
export async function showLessons(root, signal) {
  let lessons = (await loading(root, get("/v1/lessons", { signal }))).items;
  const texts = await loading(root, namesOf(lessons));
  const list = h("ol", { class: "lessons" });
  const trouble = h("div", {});
  const said = h("p", { class: "caption", role: "status" });
  const verdicts = h("div", { class: "group", role: "group", "aria-label": "Verdict" });
  const id = newId("text");
  const select = h(
    "select",
    { id, "data-field": "text", onchange: () => filter({ text: select.value }) },
    h("option", { value: "" }, "all texts"),
    [...texts].map(([letter, name]) => h("option", { value: letter }, `${letter}: ${name}`)),
  );
  const rows = new Map(lessons.map((lesson) => [lesson.id, rowOf(lesson)]));
  let wait = null;

  root.append(
    h("h1", {}, "Lessons"),
    h(
      "p",
      { class: "lead" },
      "What teaching texts say about momentum, put to the test by jobs of this server: verdicts are computed.",
    ),
    h(
      "div",
      { class: "row filters" },
      verdicts,
      h("div", { class: "row" }, h("label", { for: id }, "Said by"), select),
    ),
    said,
    trouble,
    list,
  );

  function filter(values) {
    changeAddress(values);
    show();
  }

  function show() {
    const verdict = readAddress().get("verdict");
    const text = readAddress().get("text");
    select.value = text ?? "";
    const ofText = lessons.filter((lesson) => !text || lesson.texts.includes(text));
    const shown = ofText.filter((lesson) => !verdict || kindOf(lesson) === verdict);
    buttons(ofText, verdict);
    for (const lesson of lessons) rows.get(lesson.id).show(lesson, shown.includes(lesson));
    said.textContent = lessons.every(({ state }) => state === "not run")
      ? "None has been run here yet: the verdicts came with Ravine. Most lessons take seconds."
      : shown.length
        ? ""
        : "No lesson is like that.";
    countUp(root, "drawn");
  }

  /** Count by verdict, in buttons that filter. Existing buttons are kept, and with them the focus. */
  function buttons(ofText, chosen) {
    const kinds = [[null, "all"], ...VERDICTS];
    kinds.forEach(([kind, words], at) => {
      const button =
        verdicts.children[at] ??
        verdicts.appendChild(
          h("button", { type: "button", onclick: () => filter({ verdict: kind }) }),
        );
      const num = kind === null ? ofText.length : ofText.filter((lesson) => kindOf(lesson) === kind).length;
      button.textContent = `${words} ${num}`;
      button.setAttribute("aria-pressed", String(kind === chosen));
      button.hidden = kind === "running" && !num && chosen !== kind;
    });
  }

  function rowOf({ id: name, statement, texts: letters }) {
    const verdict = h("div", { class: "what" });
    const kind = h("div", { class: "mark" });
    const run = h("button", { type: "button", onclick: () => start(name, run) }, "Run");
    const element = h(
      "li",
      {},
      kind,
      h("div", {}, h("a", { href: `${ROOT}/lessons/${name}` }, statement), verdict),
      h("span", { class: "caption", title: letters.map((letter) => texts.get(letter)).join(", ") }, letters.join(" ")),
      run,
    );
    mark(element, "lesson", name);
    list.append(element);
    return {
      show(lesson, isShown) {
        element.hidden = !isShown;
        kind.replaceChildren(sign(lesson));
        verdict.textContent = reason(lesson);
        run.textContent = lesson.state === "not run" ? "Run" : "Again";
        run.setAttribute("aria-label", `${run.textContent}: ${statement}`);
        run.disabled = kindOf(lesson) === "running";
      },
    };
  }

  async function start(name, button) {
    button.disabled = true;
    try {
      await post(`/v1/lessons/${name}/jobs`, undefined, { signal });
      await load();
    } catch (error) {
      if (error.name !== "AbortError") trouble.replaceChildren(failure(error));
    }
  }

  /** Poll while some run; the first request after the end of the jobs computes the verdict. */
  async function load() {
    clearTimeout(wait);
    try {
      lessons = (await get("/v1/lessons", { signal })).items;
      trouble.replaceChildren();
      show();
    } catch (error) {
      if (error.name === "AbortError") return;
      trouble.replaceChildren(failure(error));
    }
    later();
  }

  function later() {
    if (lessons.some((lesson) => kindOf(lesson) === "running"))
      wait = setTimeout(() => (document.hidden ? later() : load()), POLL_MS);
  }

  signal.addEventListener("abort", () => clearTimeout(wait));
  show();
  later();
}

/** List the texts with their letters, which the lessons use. */
async function namesOf(lessons) {
  const letters = [...new Set(lessons.flatMap(({ texts }) => texts))];
  const sources = new Map();
  for (const lesson of letters.map((letter) => lessons.find(({ texts }) => texts.includes(letter)))) {
    const { texts, sources: names } = await getOnce(`/v1/lessons/${lesson.id}`);
    texts.forEach((letter, at) => sources.set(letter, names[at]));
  }
  return sources;
}
