// The keyboard: space plays, arrows step, digits switch optimizers, r repeats, ? shows this list.
import { h } from "../dom.js";
import { scaled } from "./pointing.js";

const HELP = [
  ["Space", "play and pause"],
  ["← →", "one step back or on"],
  ["Home End", "to the start, to the end"],
  ["1 … 9", "optimizer on or off"],
  ["r", "run the race again"],
  ["Ctrl Z", "undo a change; with Shift, redo it"],
  ["?", "this list"],
  ["Tab, arrows", "on the picture: move the start"],
  ["+ − 0", "closer, farther, all of it; also Ctrl and wheel"],
];

/** Listen to keys until the signal aborts. */
export function keys({ canvas, time, panel, repeat, back, forth, start, frame, zoom, signal }) {
  const listen = (target, name, listener) => target.addEventListener(name, listener, { signal });
  listen(canvas, "keydown", (event) => {
    const moves = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[event.key];
    if (!moves || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    event.stopPropagation();
    const ends = frame();
    // A fortieth of the picture, with shift a finer one.
    const part = event.shiftKey ? 400 : 40;
    panel().start(
      start().map((value, side) =>
        Number((value + (moves[side] * (ends[2 * side + 1] - ends[2 * side])) / part).toPrecision(4)),
      ),
    );
  });
  listen(document, "keydown", (event) => {
    // A text that is being typed has an undo of its own.
    const isText = event.target.closest?.("textarea, dialog, input:not([type=range], [type=checkbox])");
    if ((event.ctrlKey || event.metaKey) && !event.altKey && event.key.toLowerCase() === "z" && !isText) {
      event.preventDefault();
      return event.shiftKey ? forth() : back();
    }
    if (
      event.target.closest?.("input, select, textarea, dialog, summary") ||
      event.ctrlKey ||
      event.metaKey ||
      event.altKey
    )
      return;
    const onButton = event.target.closest?.("button, a");
    const action =
      {
        " ": onButton ? null : time.toggle,
        ArrowLeft: () => time.step(-1),
        ArrowRight: () => time.step(1),
        Home: () => time.step(-1e9),
        End: () => time.step(1e9),
        "+": () => zoom(scaled(frame(), 1 / 1.25)),
        "-": () => zoom(scaled(frame(), 1.25)),
        0: () => zoom(null),
        r: repeat,
        "?": help,
      }[event.key] ?? (/^[1-9]$/.test(event.key) ? () => panel().optimizers.toggle(Number(event.key) - 1) : null);
    if (!action) return;
    event.preventDefault();
    action();
  });
}

/** Show the list of keys. */
export function help() {
  const dialog = h(
    "dialog",
    { "aria-label": "Keys" },
    h("h2", {}, "Keys"),
    h(
      "dl",
      {},
      HELP.flatMap(([key, what]) => [h("dt", {}, h("kbd", {}, key)), h("dd", {}, what)]),
    ),
    h("form", { method: "dialog" }, h("button", { class: "main" }, "Close")),
  );
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
}
