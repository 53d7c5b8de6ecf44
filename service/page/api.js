// Requests to the API of this server: JSON bodies, errors with the messages of the API, and a key if required.
import { h, newId } from "./dom.js";

export const ROOT = document.documentElement.dataset.root;
const KEY = "ravine-key";

/** An error of the API: `title`, `detail` and, for invalid values, `errors: [{loc, msg}]`. */
export class ApiError extends Error {
  constructor(status, problem) {
    super(problem.detail || problem.title || `the server answered ${status}`);
    this.status = status;
    this.title = problem.title || "Error";
    this.errors = problem.errors || [];
  }
}

/** Send a request and give the Response; throws ApiError. If a key is missing, ask the user once and repeat the request. */
export async function send(method, path, { body, signal, headers = {} } = {}) {
  for (;;) {
    const key = sessionStorage.getItem(KEY);
    let response;
    try {
      response = await fetch(ROOT + path, {
        method,
        signal,
        body: body === undefined ? undefined : JSON.stringify(body),
        headers: {
          Accept: "application/json",
          ...(body === undefined ? {} : { "Content-Type": "application/json" }),
          ...(key ? { Authorization: `Bearer ${key}` } : {}),
          ...headers,
        },
      });
    } catch (error) {
      if (error.name === "AbortError") throw error;
      throw new ApiError(0, { title: "No connection", detail: "The server does not answer. Is it still running?" });
    }
    if (response.ok || response.status === 304) return response;
    const problem = await response.json().catch(() => ({}));
    // Another request may have obtained a key meanwhile.
    if (response.status === 401 && (sessionStorage.getItem(KEY) !== key || (await askForKey(problem.detail)))) continue;
    throw new ApiError(response.status, problem);
  }
}

/** Send a request and give the JSON of the answer. */
export async function ask(method, path, options) {
  const response = await send(method, path, options);
  return response.status === 204 ? null : response.json();
}

export const get = (path, options) => ask("GET", path, options);
export const post = (path, body, options) => ask("POST", path, { ...options, body });

/** Get something that never changes while the server runs: catalogue, presets. */
export function getOnce(path) {
  if (!kept.has(path)) {
    kept.set(
      path,
      get(path).catch((error) => {
        kept.delete(path);
        throw error;
      }),
    );
  }
  return kept.get(path);
}
const kept = new Map();

/** Get all items of a list, page by page; `items` is their name in the answer. */
export async function getAll(path, { items: name = "items", ...options } = {}) {
  const items = [];
  let cursor = null;
  do {
    const join = path.includes("?") ? "&" : "?";
    const page = await get(`${path}${join}limit=500${cursor ? `&cursor=${encodeURIComponent(cursor)}` : ""}`, options);
    items.push(...page[name]);
    cursor = page.next;
  } while (cursor);
  return items;
}

let asking = null;

function askForKey(reason) {
  asking ??= new Promise((resolve) => {
    const id = newId("key");
    const field = h("input", { id, type: "password", autocomplete: "off", required: true });
    const dialog = h(
      "dialog",
      { "aria-label": "API key" },
      h(
        "form",
        { method: "dialog" },
        h("h2", {}, "This server wants a key"),
        h("p", { class: "lead" }, reason || ""),
        h("div", { class: "field" }, h("label", { for: id }, "API key"), field),
        h("p", { class: "caption" }, "It is kept until this tab is closed."),
        h(
          "div",
          { class: "row" },
          h("button", { class: "main", value: "yes" }, "Use it"),
          h("button", { value: "", formnovalidate: true }, "Cancel"),
        ),
      ),
    );
    dialog.addEventListener("close", () => {
      const given = dialog.returnValue === "yes" && field.value.trim();
      if (given) sessionStorage.setItem(KEY, given);
      dialog.remove();
      asking = null;
      resolve(Boolean(given));
    });
    document.body.append(dialog);
    dialog.showModal();
  });
  return asking;
}

/** Save an answer as a file. It is fetched by script, because a plain link cannot send the key. */
export async function download(path, name, headers) {
  save(await (await send("GET", path, { headers })).blob(), name);
}

/** Save content of the page as a file. */
export function save(blob, name) {
  const address = URL.createObjectURL(blob);
  h("a", { href: address, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}

/** Write the equivalent shell command. */
export function asCurl(method, path, body) {
  const address = `${location.origin}${ROOT}${path}`;
  const quote = (text) => `'${text.replaceAll("'", "'\\''")}'`;
  const key = sessionStorage.getItem(KEY) ? ` -H "Authorization: Bearer $RAVINE_API_KEY"` : "";
  const data = body === undefined ? "" : ` -H 'Content-Type: application/json' -d ${quote(JSON.stringify(body))}`;
  return `curl -s${method === "GET" ? "" : ` -X ${method}`} ${quote(address)}${key}${data}`;
}
