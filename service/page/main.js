// The entry point: shows the view that the address names, and follows links without loading the page again.
import { toggleAppearance } from "./appearance.js";
import { ApiError, ROOT } from "./api.js";
import { lost, onReturn } from "./connection.js";
import { copy, h } from "./dom.js";
import { hideNamed } from "./hiding.js";
import { go, onNavigate } from "./navigation.js";
import { onCallerChange, readSession } from "./session.js";
import { failure } from "./states.js";

const VIEWS = {
  compare: { path: /^\/compare$/, title: "Compare", load: () => import("./compare/view.js") },
  race: { path: /^\/$/, title: "Race", load: () => import("./race/view.js") },
  train: { path: /^\/train$/, title: "Train", load: () => import("./train/view.js") },
  sweep: { path: /^\/sweep$/, title: "Sweep", load: () => import("./sweep/view.js") },
  data: { path: /^\/data$/, title: "Your data", load: () => import("./data/view.js") },
  optimizer: { path: /^\/optimizer$/, title: "Your optimizer", load: () => import("./optimizer/view.js") },
  presets: { path: /^\/presets$/, title: "Presets", load: () => import("./presets/view.js") },
  jobs: { path: /^\/jobs(?:\/(?<id>[^/]+)(?:\/runs\/(?<run>\d+))?)?$/, title: "Jobs", load: () => import("./jobs/view.js") },
  lessons: { path: /^\/lessons(?:\/(?<id>[^/]+))?$/, title: "Lessons", load: () => import("./lessons/view.js") },
};
const main = document.getElementById("view");
const session = readSession();
let leaving = null;

/** Show the view of the address; each view is `show(root, {id, signal})` and ends when the signal aborts. */
async function show() {
  leaving?.abort();
  leaving = new AbortController();
  const { signal } = leaving;
  const path = location.pathname.slice(ROOT.length) || "/";
  const [name, view] = Object.entries(VIEWS).find(([, { path: pattern }]) => pattern.test(path)) ?? [];
  for (const link of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll("header [data-view]"))) {
    link.toggleAttribute("aria-current", false);
    if (link.dataset.view !== name || link.classList.contains("name")) continue;
    link.setAttribute("aria-current", "page");
    // In a narrow window the links scroll.
    link.scrollIntoView({ block: "nearest", inline: "center" });
  }
  const root = h("div", { class: `view ${name ?? ""}` });
  main.replaceChildren(root);
  if (!view) return root.append(failure({ title: "There is no such page", message: `Nothing is at ${path}.` }));
  document.title = `${view.title} · Ravine`;
  try {
    const [{ show: fill }] = await Promise.all([loaded(view), session]);
    if (!signal.aborted) await fill(root, { ...view.path.exec(path).groups, signal });
  } catch (error) {
    if (signal.aborted) return;
    root.replaceChildren(failure(error));
    if (error.isUnloaded) return root.append(h("button", { type: "button", class: "main", onclick: reload }, "Try again"));
    if (!(error instanceof ApiError)) console.error(error);
  }
}

const reload = () => location.reload();

/** Load the script of a view. A browser may remember that a script could not be loaded, so only a new page tries again. */
async function loaded(view) {
  try {
    return await view.load();
  } catch (error) {
    if (error instanceof SyntaxError) throw error;
    lost(ROOT);
    const sentence = `The view ${view.title} could not be loaded from the server.`;
    throw Object.assign(new Error(sentence), { title: "Not loaded", isUnloaded: true });
  }
}

// A request may fail for other reasons than the connection: without an interruption a view is not shown again at once.
const AGAIN_MS = 10_000;
let resumed = -AGAIN_MS;

/** When the server answers again, show what had failed. */
function resume({ wasLost }) {
  const isLoop = !wasLost && performance.now() - resumed < AGAIN_MS;
  if (isLoop || !main.querySelector(".failed")) return;
  resumed = performance.now();
  if (!main.querySelector(".view > .failed + button")) show();
  else if (wasLost) reload();
}

document.addEventListener("click", (event) => {
  const link = /** @type {HTMLAnchorElement | null} */ (/** @type {Element} */ (event.target).closest?.("a[href]"));
  const plain =
    !event.defaultPrevented &&
    event.button === 0 &&
    !event.metaKey &&
    !event.ctrlKey &&
    !event.shiftKey &&
    !event.altKey;
  if (!link || !plain || link.target || link.hasAttribute("download") || link.origin !== location.origin) return;
  const path = link.pathname.slice(ROOT.length) || "/";
  if (link.hash || !Object.values(VIEWS).some(({ path: pattern }) => pattern.test(path))) return;
  event.preventDefault();
  go(link.href);
  main.focus({ preventScroll: true });
  scrollTo(0, 0);
});
onNavigate(show);
onCallerChange(show);
onReturn(resume);
addEventListener("popstate", show);
document.getElementById("theme").addEventListener("click", toggleAppearance);
document.getElementById("copy-link").addEventListener("click", () => copy(location.href, "Link"));
hideNamed(document.body);
show();
