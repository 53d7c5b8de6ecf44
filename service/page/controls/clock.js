// One clock for a picture and curves: play, pause, step, speed and a scrubber.
import { h, lessMotion } from "../dom.js";

// A race of this many steps takes four seconds at speed 1, and no step is shown for longer than an eighth of a second.
const SECONDS = 4;
const SPEEDS = [0.25, 0.5, 1, 2, 4];

/**
 * Make the clock: {element, range(steps), go(step), play(), pause(), …}; `show(step)` is called for each new step, `settle(step)`
 * when it stops. `name(step)` counts `unit`s.
 *
 * @param {{show: (step: number, playing: boolean) => void, settle?: (step: number) => void, signal: AbortSignal, unit?: string,
 *   name?: (step: number) => number}} options
 */
export function clock({ show, settle, signal, unit = "step", name: nameOf = (place) => place }) {
  let steps = 0;
  let at = 0;
  let speed = 1;
  let playing = false;
  let last = 0;
  const scrubber = h("input", {
    type: "range",
    min: 0,
    max: 0,
    step: 1,
    value: 0,
    class: "scrubber",
    "aria-label": unit.replace(/^./, (letter) => letter.toUpperCase()),
    oninput: () => {
      pause();
      go(Number(scrubber.value));
    },
  });
  const label = h("output", { class: "number step" }, `${unit} 0`);
  const button = (shape, name, action) =>
    h("button", { type: "button", "aria-label": name, title: name, onclick: action }, icon(shape));
  const toggle = button("play", "Play", () => (playing ? pause() : play()));
  const pace = h(
    "select",
    {
      "aria-label": "Speed",
      value: "1",
      onchange: () => {
        speed = Number(pace.value);
      },
    },
    SPEEDS.map((one) => h("option", { value: one }, `${one}×`)),
  );
  const element = h(
    "div",
    { class: "clock" },
    button("first", "To the start", () => {
      pause();
      go(0);
    }),
    toggle,
    button("last", "To the end", () => {
      pause();
      go(steps);
    }),
    scrubber,
    label,
    pace,
  );

  function showToggle(shape, name) {
    toggle.replaceChildren(icon(shape));
    toggle.setAttribute("aria-label", name);
    toggle.title = name;
  }

  function go(step, settles = !playing) {
    at = Math.min(steps, Math.max(0, step));
    const whole = Math.floor(at);
    scrubber.value = whole;
    scrubber.setAttribute("aria-valuetext", `${unit} ${nameOf(whole)} of ${nameOf(steps)}`);
    label.textContent = `${unit} ${nameOf(whole)}`;
    show(whole, playing);
    if (settles) settle?.(whole);
  }

  function tick(now) {
    if (!playing || signal.aborted) return;
    const passed = Math.min(0.1, (now - last) / 1000);
    last = now;
    const before = Math.floor(at);
    at = Math.min(steps, at + passed * speed * Math.max(8, steps / SECONDS));
    if (at >= steps) pause();
    if (Math.floor(at) !== before || at >= steps) go(at);
    requestAnimationFrame(tick);
  }

  function play() {
    if (!steps) return;
    if (lessMotion()) return go(steps);
    if (at >= steps) at = 0;
    playing = true;
    showToggle("pause", "Pause");
    last = performance.now();
    requestAnimationFrame(tick);
  }

  function pause() {
    playing = false;
    showToggle("play", "Play");
    settle?.(Math.floor(at));
  }

  return {
    element,
    go,
    play,
    pause,
    toggle: () => (playing ? pause() : play()),
    step: (by) => {
      pause();
      go(Math.floor(at) + by);
    },
    /** A new race of so many steps; the clock stays where it was, or goes to the end. */
    range(next, { settles = true } = {}) {
      const whole = at >= steps || !steps;
      steps = next;
      scrubber.max = next;
      go(whole && !playing ? next : Math.min(at, next), settles && !playing);
    },
    get at() {
      return Math.floor(at);
    },
  };
}

const SHAPES = {
  play: "M4 2v12l10-6z",
  pause: "M3 2h4v12H3zM9 2h4v12H9z",
  first: "M2 2h2v12H2zM14 2v12L5 8z",
  last: "M12 2h2v12h-2zM2 2v12l9-6z",
};

/** Draw a button's sign: fonts do not agree on these characters. */
function icon(shape) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", "0 0 16 16");
  svg.setAttribute("aria-hidden", "true");
  svg.innerHTML = `<path d="${SHAPES[shape]}"/>`;
  return svg;
}
