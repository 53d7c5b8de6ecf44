// The editor of assignments: one on each line, with the mistakes marked under the letters that cause them.
import { h, newId } from "../dom.js";

// "'beta' at character 5 is not a name that a formula may use. A formula is made of …"
const PLACE = /\bat character (\d+)/;
const UNKNOWN = /^'([A-Za-z][A-Za-z0-9_]*)' at character \d+ is not a name/;
const ALLOWED = /(?<=\.) (?=A formula is made of )/;

/**
 * Make the editor: {element, set(lines), show(errors, read)}.
 *
 * `change(lines)` follows each key, without empty lines. An error is {line, message} with the number of its assignment;
 * `read` has the assignments as the API reads them. `declare(name, as)` makes an unknown name a state or a parameter.
 */
export function editor({ lines, change, declare }) {
  const id = newId("rule");
  const mirror = h("div", { class: "mirror code", "aria-hidden": "true" });
  const says = h("div", { id: `${id}-says`, class: "says", role: "status" });
  const field = h("textarea", {
    id,
    class: "code",
    spellcheck: "false",
    autocapitalize: "off",
    autocomplete: "off",
    "aria-describedby": `${id}-says`,
    value: lines.join("\n"),
    oninput: () => {
      mark([]);
      change(written().map(({ text }) => text));
    },
  });
  field.value = lines.join("\n");

  /** List the lines that are not empty, with their numbers. */
  const written = () =>
    field.value
      .split("\n")
      .map((text, at) => ({ text, at }))
      .filter(({ text }) => text.trim());

  /** Show the text once more behind the field, with marks: [{at, from, to}]. */
  function mark(marks) {
    const all = field.value.split("\n");
    field.rows = Math.max(3, all.length + 1);
    mirror.replaceChildren(
      ...all.map((text, at) => {
        const one = marks.find((other) => other.at === at);
        if (!one) return h("div", {}, text || "\u200b");
        const [from, to] = [Math.min(one.from, text.length), Math.min(one.to, text.length)];
        // Behind the end there is no letter to mark.
        const letters = text.slice(from, to) || "\u00a0";
        return h("div", {}, text.slice(0, from), h("mark", {}, letters), text.slice(to));
      }),
    );
  }

  function show(errors, read = []) {
    const lines = written();
    const placed = errors.filter(({ line }) => lines[line]).map((one) => ({ ...one, ...placeOf(one, lines[one.line]) }));
    mark(placed);
    field.toggleAttribute("aria-invalid", false);
    if (errors.length) field.setAttribute("aria-invalid", "true");
    says.replaceChildren(
      ...errors.map((error) => sentence(error, lines)),
      ...(errors.length ? [] : read.length ? [h("p", { class: "caption" }, "Read as ", readAs(read))] : []),
    );
  }

  function sentence({ line, message }, lines) {
    const [reason, allowed] = message.split(ALLOWED);
    const where = lines[line] && lines.length > 1 ? `Line ${lines[line].at + 1}: ` : "";
    const name = UNKNOWN.exec(message)?.[1];
    const as = (text, kind) => h("button", { type: "button", onclick: () => declare(name, kind) }, text);
    return h(
      "div",
      { class: "complaint" },
      h("p", {}, where, reason),
      name && h("div", { class: "row" }, as(`Make ${name} a parameter`, "parameters"), as(`Make ${name} a state`, "state")),
      allowed && h("p", { class: "caption" }, allowed),
    );
  }

  mark([]);
  return {
    element: h(
      "div",
      { class: "field rule" },
      h("label", { for: id }, "Update rule: one assignment on each line, run in order"),
      h("div", { class: "paper" }, mirror, field),
      says,
    ),
    set(next) {
      field.value = next.join("\n");
      mark([]);
    },
    show,
  };
}

const readAs = (read) => read.flatMap((text, at) => [at ? "; " : "", h("code", {}, text)]);

/** Give the letters of an error; one without a place is about the end of its line, or about all of it. */
function placeOf({ message }, { text, at }) {
  const start = text.length - text.trimStart().length;
  const found = PLACE.exec(message);
  if (!found) {
    const isEnd = message.startsWith("The end of the formula");
    return { at, from: isEnd ? text.trimEnd().length : start, to: isEnd ? text.trimEnd().length + 1 : text.length };
  }
  const from = Number(found[1]) - 1;
  const token = /^'([^']+)'/.exec(message)?.[1];
  const isThere = token && text.startsWith(token, from);
  return { at, from, to: from + (isThere ? token.length : 1) };
}
