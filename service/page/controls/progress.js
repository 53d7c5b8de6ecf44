// Progress of a job: a line with a button that cancels it, and a bar without one.
import { h } from "../dom.js";
import { count, duration } from "../format.js";

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
      // The rate counts from the first event, without the time in the queue and earlier epochs.
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

/** Make a bar with the epochs done and the time left: {element, show(job)}. */
export function progressBar(name) {
  const bar = h("progress", { max: 1, "aria-label": `Progress of ${name}` });
  const line = h("p", { class: "caption" });
  const element = h("div", { class: "progress" }, bar, line);
  let first = null;

  function show({ status, progress: { epochs_done: done, epochs_total: total, fraction } }) {
    if (status === "queued") bar.removeAttribute("value");
    else bar.value = fraction;
    // The rate is measured with the clock of this browser, which may differ from that of the server.
    const now = { at: performance.now(), fraction };
    if (status === "running") first ??= now;
    const gained = first ? fraction - first.fraction : 0;
    const seconds = first ? (now.at - first.at) / 1000 : 0;
    const left = gained > 0.02 && seconds > 0.5 ? `, about ${duration((seconds / gained) * (1 - fraction))} left` : "";
    line.textContent =
      status === "queued"
        ? `Waiting for a worker; ${count(total, "epoch")} to train`
        : `${done.toLocaleString("en")} of ${count(total, "epoch")}${status === "cancelling" ? ", stopping" : left}`;
  }

  return { element, show };
}
