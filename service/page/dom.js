// Elements in one line each: h("button", {class: "main", onclick: start}, "Run").

/** Make an element. Attributes that are null or false are left out, `on…` are listeners, `value` is the property. */
export function h(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else if (key === "value" || key === "checked") element[key] = value;
    else if (key === "style" && typeof value === "object") {
      for (const [property, one] of Object.entries(value)) element.style.setProperty(property, one);
    } else element.setAttribute(key, value === true ? "" : value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  // The value of a select can be set only after its options.
  if (name === "select" && attributes.value !== undefined) element.value = attributes.value;
  return element;
}

/** Make an element of a picture, with attributes as they are. */
export function svg(name, attributes = {}, ...children) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, String(value));
  element.append(...children);
  return element;
}

let number = 0;

/** Give a unique name. */
export function newId(prefix = "id") {
  number += 1;
  return `${prefix}-${number}`;
}

/** Show a note at the foot of the page for some seconds. */
export function note(text, seconds = 4) {
  const element = h("div", {}, text);
  document.getElementById("notes").append(element);
  setTimeout(() => element.remove(), seconds * 1000);
}

/** Copy a text; if the browser forbids it, show the text for copying by hand. */
export async function copy(text, what) {
  try {
    await navigator.clipboard.writeText(text);
    note(`${what} copied`);
  } catch {
    note(text, 20);
  }
}

/** Whether the user prefers reduced motion. */
export const lessMotion = () => matchMedia("(prefers-reduced-motion: reduce)").matches;
