// Reading numbers that people type: "3, 4", "(3, 4)", "3 4", "[3; 4]".

/** Give the numbers of a text, or null where a part of it is none; an empty text has none. */
export function readNumbers(text) {
  const plain = text.trim().replace(/^[([]\s*(.*?)\s*[)\]]$/s, "$1").replaceAll("−", "-");
  const numbers = plain.split(/[\s,;]+/).filter(Boolean).map(Number);
  return numbers.every(Number.isFinite) ? numbers : null;
}

/** Say what a field of numbers takes. */
export const NOT_NUMBERS = "Write numbers with commas between them, such as 3, 4.";
