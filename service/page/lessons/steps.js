// The five steps of a lesson, one in sight at a time: the claim, your guess, the run, the figure, and why.
import { changeAddress, readAddress } from "../address.js";
import { h } from "../dom.js";
import { kindOf, sign, wordsOf } from "./verdict.js";

const STEPS = [
  ["claim", "The claim"],
  ["guess", "Your guess"],
  ["run", "The run"],
  ["figure", "The figure"],
  ["why", "Why"],
];
const ALL = "all";
const GUESSES = {
  holds: "It holds.",
  "holds-if": "It holds only in some reading, or under a condition.",
  inconclusive: "It cannot be decided with these runs.",
  fails: "It fails.",
};

/** The step of the address: its name, or "all". */
export function stepNow() {
  const step = readAddress().get("step");
  return step === ALL || STEPS.some(([name]) => name === step) ? step : STEPS[0][0];
}

/** Whether a part of the lesson is in sight. */
export const isShown = (name) => [ALL, name].includes(stepNow());

/** Make the steps from their parts {claim, guess, run, figure, why}; `changed()` follows each move. */
export function steps(parts, changed) {
  const buttons = STEPS.map(([name, title], at) =>
    h("button", { type: "button", onclick: () => move(name) }, `${at + 1} ${title}`),
  );
  const all = h("button", { type: "button", class: "quiet", onclick: () => move(ALL) }, "All at once");
  const before = h("button", { type: "button", onclick: () => move(STEPS[at() - 1][0]) });
  const after = h("button", { type: "button", class: "main", onclick: () => move(STEPS[at() + 1][0]) });
  const at = () => STEPS.findIndex(([name]) => name === stepNow());
  const sections = STEPS.map(([name, title], place) => {
    const heading = h("h2", { tabindex: -1 }, `${place + 1}. ${title}`);
    return h("section", { class: "step", "data-step": name, "aria-label": title }, heading, parts[name]);
  });

  function move(name) {
    changeAddress({ step: name }, { step: true });
    show();
    changed();
    sections[Math.max(0, at())].querySelector("h2").focus();
  }

  function show() {
    const now = stepNow();
    buttons.forEach((button, place) => {
      if (STEPS[place][0] === now) button.setAttribute("aria-current", "step");
      else button.removeAttribute("aria-current");
    });
    all.setAttribute("aria-pressed", String(now === ALL));
    for (const section of sections) section.hidden = !isShown(section.dataset.step);
    const place = at();
    before.hidden = place < 1;
    after.hidden = place < 0 || place === STEPS.length - 1;
    if (!before.hidden) before.textContent = `Back: ${STEPS[place - 1][1].toLowerCase()}`;
    if (!after.hidden) after.textContent = `Next: ${STEPS[place + 1][1].toLowerCase()}`;
  }

  show();
  return h(
    "div",
    { class: "story" },
    h("nav", { class: "row", "aria-label": "Steps of the lesson" }, ...buttons, all),
    ...sections,
    h("div", { class: "row" }, before, after),
  );
}

/** Make the question: what the reader expects; the answer stays in the address. */
export function guessPart() {
  const said = h("p", { class: "caption", role: "status" });
  const show = () => {
    said.textContent = guessNow() ? "Kept in the address. The last step compares it with the verdict." : "";
  };
  const choices = Object.entries(GUESSES).map(([kind, words]) =>
    h(
      "label",
      { class: "choice" },
      h("input", {
        type: "radio",
        name: "guess",
        checked: guessNow() === kind,
        onchange: () => {
          changeAddress({ guess: kind });
          show();
        },
      }),
      words,
    ),
  );
  show();
  return h("div", {}, h("fieldset", {}, h("legend", {}, "What do you expect of this claim?"), ...choices), said);
}

/** Say how the guess stands to the verdict; null without a guess. */
export function guessed(lesson) {
  const guess = guessNow();
  if (!guess) return null;
  const kind = kindOf(lesson);
  if (!(kind in GUESSES)) return h("p", { class: "guessed" }, `Your guess: ${GUESSES[guess]} There is no verdict yet.`);
  const words = guess === kind ? "as the runs say" : `but the runs say “${wordsOf(kind)}”`;
  return h("p", { class: "guessed" }, sign(lesson), ` Your guess: ${GUESSES[guess].replace(/\.$/, "")}: ${words}.`);
}

function guessNow() {
  const guess = readAddress().get("guess");
  return guess in GUESSES ? guess : null;
}
