// Controls that a link hides, for a class: ?hide=noise,seeds,navigation, or several times hide=.
import { readAddress } from "./address.js";

// What bears the name of a control, and what is hidden with it.
const NAMES = "label, button, summary, legend, h2, [data-view]";
const WHOLE = ".slider, .field, fieldset";
// Parts of the page that are no controls.
const PARTS = { navigation: "body > header nav", settings: "aside", lead: ".lead-in" };

/** Name what the address hides, in lower case: the whole of each value, for names with commas, and the parts of it. */
const hiddenNames = () =>
  new Set(readAddress().getAll("hide").flatMap((value) => [value, ...value.split(",")]).map(plain).filter(Boolean));

const plain = (text) => text.trim().toLowerCase();

/** Hide them, also those that come later. */
export function hideNamed(root) {
  const names = hiddenNames();
  if (!names.size) return;
  const hide = (element) => element.toggleAttribute("data-hidden", true);
  const apply = () => {
    for (const [name, part] of Object.entries(PARTS)) if (names.has(name)) document.querySelectorAll(part).forEach(hide);
    for (const element of root.querySelectorAll(NAMES)) if (namesOf(element).some((one) => names.has(one))) hide(wholeOf(element));
  };
  let frame = 0;
  const observer = new MutationObserver(() => {
    frame ||= requestAnimationFrame(() => {
      frame = 0;
      apply();
    });
  });
  observer.observe(root, { childList: true, subtree: true });
  apply();
}

/** A control is called by its text, or by what a screen reader says. */
const namesOf = (element) => [element.textContent, element.getAttribute("aria-label") ?? ""].map(plain);

function wholeOf(element) {
  if (element.matches("summary, h2")) return element.parentElement;
  return element.closest(WHOLE) ?? element;
}

/** Keep what is hidden on the way to another view. */
export function withHidden(address) {
  const next = new URL(address, location.href);
  if (!next.searchParams.has("hide")) for (const hide of readAddress().getAll("hide")) next.searchParams.append("hide", hide);
  return next.href;
}
