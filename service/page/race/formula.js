// The entry of a formula: read by the service while it is typed; its other letters become sliders.
import { post } from "../api.js";
import { linear, slider } from "../controls/slider.js";
import { h, newId } from "../dom.js";
import { restarts } from "../restarts.js";

// A formula is read when its writer pauses; what cannot be read is an error after a longer pause, or when the field is left.
const TYPING_MS = 120;
const PATIENCE_MS = 700;
const REACH = 5;

/**
 * Make the entry: {element, show(formula)}. `take(part)` gets {formula, parameters, start} of a formula that can be read,
 * `refuse(part, error)` one that cannot; `drag(part)` and `change(part)` get the letters while a slider moves and on release.
 */
export function formulaEntry({ state, signal, take, refuse, drag, change }) {
  let { formula: taken, parameters, start } = state;
  let timers = [];
  const reading = restarts(signal);
  const id = newId("formula");
  const input = h("input", {
    id,
    type: "text",
    value: taken,
    placeholder: "x**2 + 10*y**2",
    spellcheck: "false",
    autocapitalize: "off",
    "data-field": "expression",
    oninput: () => {
      stop();
      timers = [setTimeout(() => read(false), TYPING_MS), setTimeout(() => read(true), PATIENCE_MS)];
    },
    onchange: () => {
      stop();
      read(true);
    },
  });
  const letters = h("div", { class: "letters" });
  const element = h("div", { class: "formula" }, h("div", { class: "field" }, h("label", { for: id }, "ƒ(x, y) ="), input), letters);

  function stop() {
    timers.forEach(clearTimeout);
    timers = [];
  }

  /** Read the text; what cannot be read is refused only where it is `final`. */
  async function read(final) {
    const text = input.value.trim();
    if (!text || text === taken) return;
    const by = reading.next();
    try {
      const found = await post("/v1/problems/formula", { expression: text }, { signal: by });
      stop();
      taken = text;
      parameters = Object.fromEntries(found.letters.map((letter) => [letter, parameters[letter] ?? 1]));
      start = found.dimension === 1 ? start.slice(0, 1) : [start[0], start[1] ?? 1];
      showLetters();
      take({ formula: text, parameters, start });
    } catch (error) {
      if (error.name === "AbortError" || signal.aborted || !final) return;
      taken = null;
      refuse({ formula: text, parameters: {} }, error);
    }
  }

  function showLetters() {
    letters.replaceChildren(...Object.keys(parameters).map((letter) => control(letter).element));
  }

  function control(letter) {
    const put = (number) => {
      parameters = { ...parameters, [letter]: number };
      return { parameters };
    };
    const reach = Math.max(REACH, 2 * Math.abs(parameters[letter]));
    return slider({
      name: letter,
      title: `${letter} in the formula`,
      value: parameters[letter],
      scale: linear(-reach, reach),
      field: `problem.parameters.${letter}`,
      change: (number) => change(put(number)),
      input: (number) => drag(put(number)),
    });
  }

  showLetters();
  return {
    element,
    /** Begin with a formula, such as that of the surface before. */
    show(text) {
      input.value ||= text;
      input.focus();
      taken = null;
      read(true);
    },
    /** The start has moved. */
    begin(at) {
      start = at;
    },
  };
}
