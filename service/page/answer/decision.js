// The decision of a job that runs until it is sure: for each label its interval, which closes while seeds are added.
import { h } from "../dom.js";
import { short } from "../format.js";
import { named } from "../plot/swatch.js";
import { chip } from "../status.js";

const LOOKS = { better: "completed", worse: "failed", equal: "cancelled", undecided: "running" };
// The half width of the axis is at most this ratio, or this difference in margins.
const WIDEST_RATIO = Math.log(4);
const WIDEST_MARGINS = 40;

/**
 * Make the part: {element, begin(), show(decision)}.
 *
 * `scale` is that of the criterion: on "log" an interval is of logarithms and is shown as a ratio. `margin` is the share
 * that counts as equal; `against` names what the labels are compared with.
 */
export function decisionPart() {
  const caption = h("p", { class: "caption" });
  const rows = h("div", { class: "intervals" });
  const element = h("section", { class: "decision", "aria-label": "Decision", hidden: true }, rows, caption);
  let about = null;
  let reach = 0;

  function begin(next) {
    about = next;
    reach = 0;
    rows.replaceChildren();
    element.hidden = true;
  }

  function show({ status, seeds_used: used, max_seeds: most, stopped, labels }) {
    element.hidden = !labels.length;
    const { isRatio, margin, styles, against } = about;
    const band = isRatio ? Math.log1p(margin) : null;
    const widest = isRatio ? WIDEST_RATIO : Infinity;
    const ends = labels.flatMap(({ interval }) => (interval ?? []).map((end) => Math.abs(Number(end))));
    // The axis never becomes narrower, so that intervals are seen to close.
    reach = Math.max(reach, ...ends.map((end) => Math.min(end, widest)), band === null ? 0 : 3 * band);
    if (band !== null) reach = Math.min(reach, WIDEST_MARGINS * band);
    rows.replaceChildren(...labels.flatMap((one) => row(one, band)));
    const seeds = status === "open" ? `${used} of at most ${most} seeds so far` : `${used} seeds were needed`;
    caption.textContent =
      `${status === "undecided" ? `Undecided after ${used} seeds` : seeds}. ` +
      `Left of the middle is better than ${against}; ` +
      (isRatio ? "the band counts as equal. " : "") +
      "All verdicts hold together, however often they are looked at." +
      (stopped ? ` No further seeds were trained: ${stopped}.` : "");

    function row({ label, verdict, interval, seeds: at }, half) {
      const words = interval ? sizes(interval.map(Number)) : "no interval yet";
      return [
        h("div", { class: "name" }, named(label, styles)),
        h(
          "div",
          { class: "track", role: "img", "aria-label": `${label}: ${words}` },
          half === null ? "" : h("span", { class: "band", style: place(-half, half) }),
          h("span", { class: "middle" }),
          interval ? h("span", { class: "bar", style: place(...interval.map(Number)) }) : "",
        ),
        h("div", { class: "words" }, chip(LOOKS[verdict], verdict), ` ${words}${at ? `, ${at} seeds` : ""}`),
      ];
    }

    function sizes([low, high]) {
      return isRatio ? `${short(Math.exp(low))}× to ${short(Math.exp(high))}×` : `${short(low)} to ${short(high)}`;
    }
  }

  /** Give left and width, in per cent of the track. */
  function place(low, high) {
    const at = (value) => 50 + 50 * Math.max(-1, Math.min(1, reach ? value / reach : 0));
    return { left: `${at(low)}%`, width: `${at(high) - at(low)}%` };
  }

  return { element, begin, show };
}
