// The state of a view in its address, so that a copied link shows the same in another browser.

/** Read the query of the address. */
export const readAddress = () => new URLSearchParams(location.search);

/** Write the query of the address; null and "" are left out. A change is not a step back unless `step` is given. */
export function writeAddress(values, { step = false } = {}) {
  const query = new URLSearchParams();
  // What a link hides stays hidden.
  for (const [name, value] of Object.entries({ ...values, hide: readAddress().getAll("hide") })) {
    for (const one of Array.isArray(value) ? value : [value])
      if (one !== null && one !== undefined && one !== "") query.append(name, one);
  }
  // Commas and colons need no escape in a query; without escapes it is readable.
  const text = query.toString().replaceAll("%2C", ",").replaceAll("%3A", ":");
  const address = location.pathname + (text ? `?${text}` : "");
  if (address === location.pathname + location.search) return;
  history[step ? "pushState" : "replaceState"](null, "", address);
}

/** Change some values of the query and keep the others. */
export const changeAddress = (values, options) =>
  writeAddress({ ...Object.fromEntries(readAddress()), ...values }, options);

/**
 * Write an optimizer as a short text: {kind: "momentum", lr: 0.015, momentum: 0.9} is "momentum,lr:0.015,momentum:0.9".
 *
 * Values that are objects, such as ranges and schedules, are written as JSON.
 *
 * @param {Record<string, any>} optimizer
 */
export function writeOptimizer({ kind, ...settings }) {
  const parts = Object.entries(settings).filter(([, value]) => value !== null && value !== undefined);
  return [
    kind,
    ...parts.map(([name, value]) => `${name}:${escape(written(name, value))}`),
  ].join(",");
}

/** A text that would be read as something else, such as "2020", is written as JSON too. */
function written(name, value) {
  const isPlain = typeof value === "string" ? name === "label" || parsed(value) === value : typeof value !== "object";
  return isPlain ? String(value) : JSON.stringify(value);
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/**
 * Parse the text of writeOptimizer; values that are neither numbers nor JSON stay texts.
 *
 * @param {string} text
 * @returns {{kind: string, [name: string]: any}}
 */
export function readOptimizer(text) {
  const [kind, ...parts] = text.split(",");
  const settings = parts.map((part) => {
    const [name, ...rest] = part.split(":");
    const value = unescape(rest.join(":"));
    return [name, name === "label" ? value : parsed(value)];
  });
  return { kind, ...Object.fromEntries(settings) };
}

const escape = (text) => text.replaceAll("~", "~~").replaceAll(",", "~c").replaceAll(":", "~p");
const unescape = (text) => text.replace(/~(.)/g, (_, letter) => ({ "~": "~", c: ",", p: ":" })[letter] ?? letter);
