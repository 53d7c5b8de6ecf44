// Formulas as the service sets them.

/** Make the element of a text of presentation MathML. */
export const mathOf = (text) =>
  document.importNode(new DOMParser().parseFromString(text, "application/xml").documentElement, true);
