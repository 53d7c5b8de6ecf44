// Requests of the views to the API: JSON bodies, errors with the messages of the API, and sign-in if it is required.
import { h } from "./dom.js";
import { ApiError, ROOT, request } from "./http.js";
import { needsKey, signIns, signedIn } from "./session.js";

export { ApiError, ROOT };

/** Send a request and give the Response; throws ApiError. If nobody is signed in, ask once and repeat the request. */
export const send = (method, path, options) => allowed(() => request(method, path, options));

/** Run a request; where nobody is signed in, ask once and run it again. */
export async function allowed(run) {
  for (;;) {
    const before = signIns();
    try {
      return await run();
    } catch (error) {
      if (error.status !== 401) throw error;
      // Another request, or another tab, may have signed in meanwhile.
      if (signIns() === before && !(await signedIn())) {
        throw new ApiError(401, { title: "You are not signed in", detail: "Choose “Sign in” at the top to see this." });
      }
    }
  }
}

/** Send a request and give the JSON of the answer. */
export async function ask(method, path, options) {
  const response = await send(method, path, options);
  return response.status === 204 ? null : response.json();
}

export const get = (path, options) => ask("GET", path, options);
export const patch = (path, body, options) => ask("PATCH", path, { ...options, body });
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

/**
 * Get all items of a list, page by page; `items` is their name in the answer.
 *
 * @param {string} path
 * @param {{items?: string, signal?: AbortSignal}} options
 */
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
  const key = needsKey() ? ` -H "Authorization: Bearer $RAVINE_API_KEY"` : "";
  const data = body === undefined ? "" : ` -H 'Content-Type: application/json' -d ${quote(JSON.stringify(body))}`;
  return `curl -s${method === "GET" ? "" : ` -X ${method}`} ${quote(address)}${key}${data}`;
}
