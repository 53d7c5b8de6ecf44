// A slider with a number field for the same value; a mark shows the limit of stability of theory.
import { h, newId } from "../dom.js";

/** Conversions between a position on the track, 0 to 1, and a number. */
export const linear = (from, to) => ({
  from,
  to,
  number: (place) => from + (to - from) * place,
  place: (number) => (number - from) / (to - from),
});
export const log = (from, to) => ({
  from,
  to,
  number: (place) => from * (to / from) ** place,
  place: (number) => Math.log(number / from) / Math.log(to / from),
});

const STEPS = 400;

/**
 * Make a slider: give {element, value, limit(number), set(number)}. `change` is called on release, `input` while moving.
 *
 * Typed numbers may lie outside of the track, within `least` and `most`.
 *
 * @param {{name: string, title?: string, value: number, digits?: number, integer?: boolean, field?: string, least?: number,
 *   most?: number, scale: {number: (place: number) => number, place: (number: number) => number},
 *   change?: (number: number) => void, input?: (number: number) => void}} options
 */
export function slider({
  name,
  title = name,
  value,
  scale,
  digits = 3,
  integer = false,
  field,
  least,
  most,
  change,
  input,
}) {
  const id = newId("slider");
  const rounded = (number) => (integer ? Math.round(number) : Number(number.toPrecision(digits)));
  const place = (number) => Math.round(Math.min(1, Math.max(0, scale.place(Math.max(number, 1e-300)) || 0)) * STEPS);
  let now = value;
  const range = h("input", {
    type: "range",
    id,
    min: 0,
    max: STEPS,
    step: 1,
    value: place(value),
    title,
    "aria-valuetext": String(value),
    "data-field": field,
    oninput: () => {
      now = rounded(scale.number(range.value / STEPS));
      box.value = now;
      range.setAttribute("aria-valuetext", String(now));
      input?.(now);
    },
    onchange: () => change?.(now),
  });
  const box = h("input", {
    type: "number",
    step: "any",
    min: least,
    max: most,
    value,
    "aria-label": `${title}, as a number`,
    onchange: () => {
      if (box.value === "" || !box.checkValidity()) return box.reportValidity();
      set(integer ? Math.round(Number(box.value)) : Number(box.value));
      change?.(now);
    },
  });
  const mark = h("div", { class: "limit", hidden: true });
  const track = h("div", { class: "track" }, range, mark);
  const element = h("div", { class: "slider" }, h("label", { for: id, title }, name), track, box);

  function set(number) {
    now = number;
    range.value = place(number);
    range.setAttribute("aria-valuetext", String(number));
    box.value = number;
  }

  /** Mark a number on the track; null removes the mark. */
  function limit(number, says) {
    const share = number === null || !Number.isFinite(number) ? 1 : Math.min(1, Math.max(0, scale.place(number)));
    mark.hidden = share >= 1;
    // The middle of the thumb goes from 8 pixels inside the track to 8 before its end.
    track.style.setProperty("--limit", share >= 1 ? "100%" : `calc(8px + (100% - 16px) * ${share.toFixed(4)})`);
    mark.title = says ?? "";
    range.title = share >= 1 ? title : `${title}; ${says}`;
  }

  return {
    element,
    set,
    limit,
    get value() {
      return now;
    },
  };
}
