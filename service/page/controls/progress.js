// One line under a picture that is being made: how far, how long yet, and a way to stop.
import { h } from "../dom.js";
import { duration } from "../format.js";

/** Make the line: {element, begin(), show(progress), end()}; `cancel()` is called by its button. */
export function progressLine({ cancel }) {
  const bar = h("progress", { max: 1, "aria-label": "Progress of the job" });
  const text = h("span", { class: "caption" });
  const stop = h(
    "button",
    {
      type: "button",
      onclick: () => {
        stop.disabled = true;
        text.textContent = "Stopping …";
        cancel();
      },
    },
    "Cancel",
  );
  const element = h("div", { class: "progress", hidden: true }, bar, h("div", { class: "row" }, text, stop));
  let since = null;

  return {
    element,
    begin() {
      element.hidden = false;
      stop.disabled = false;
      bar.removeAttribute("value");
      text.textContent = "Waiting for a worker …";
      since = null;
    },
    show({ epochs_done: done, epochs_total: total, runs_diverged: diverged, fraction }) {
      if (element.hidden || stop.disabled) return;
      bar.value = fraction;
      const now = performance.now() / 1000;
      // The rate counts from the first news: what a worker did before, and the wait for it, is none of it.
      since ??= { now, fraction };
      const rate = (fraction - since.fraction) / (now - since.now);
      const left = rate > 0 ? `, about ${duration((1 - fraction) / rate)} left` : "";
      const lost = diverged ? `, ${diverged.toLocaleString("en")} diverged` : "";
      text.textContent = `${done.toLocaleString("en")} of ${total.toLocaleString("en")} epochs${lost}${left}`;
    },
    end() {
      element.hidden = true;
    },
  };
}
