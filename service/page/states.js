// The state of a view, and what it shows without a result: empty, loading and failed.
import { h } from "./dom.js";
import { mark } from "./marks.js";

/** Show an error with the message of the API and the places of the invalid values. */
export function failure(error) {
  const places = (error.errors ?? []).map(({ loc, msg }) =>
    h("li", {}, h("code", {}, loc.filter((part) => part !== "body").join(".")), ` ${msg}`),
  );
  return h(
    "div",
    { class: "failed", role: "alert" },
    h("h2", {}, error.title ?? "Something went wrong"),
    places.length ? h("ul", {}, places) : h("p", {}, error.message),
  );
}

/** Show a skeleton in a view that is still empty while what it begins with is on its way. */
export async function loading(root, promise) {
  const skeleton = h("div", { class: "skeleton", role: "status", "aria-label": "Loading", style: { height: "320px" } });
  root.append(skeleton);
  try {
    return await promise;
  } finally {
    skeleton.remove();
  }
}

/**
 * The state of a view, one at a time: `current`, `computing` or `failed`.
 *
 * While it computes, what has the class `dims` is dimmed after 300 ms, and what has `waits` is shown. What has failed is
 * cleared by `clear()`, so that nothing of other settings stays in sight.
 */
export function viewState(root, clear) {
  return {
    current: () => mark(root, "state", "current"),
    computing: () => mark(root, "state", "computing"),
    failed() {
      clear();
      mark(root, "state", "failed");
    },
  };
}

/** Show that the job of a link is gone; a link with its settings can run it `again()`, a bare one has none. */
export const gone = (id, { isBare, verb, again, what }) =>
  empty(
    "This job is gone",
    h(
      "p",
      { class: "lead" },
      isBare
        ? `There is no job ${id} any more, and the link does not have its settings. Those beside this are the usual ones.`
        : `There is no job ${id} any more. Its settings are beside this: the same seeds give the same ${what}.`,
    ),
    h("button", { type: "button", class: "main", onclick: again }, isBare ? "Run the usual settings" : verb),
  );

/** Show a hint in an empty view. */
export const empty = (title, ...children) => h("div", { class: "empty" }, h("h2", {}, title), ...children);

/**
 * Show errors of the API beside the controls that caused them: each control has `data-field`, the place in the spec.
 * Errors of no control are returned.
 */
export function complain(root, error) {
  calm(root);
  const rest = [];
  for (const one of error.errors ?? []) {
    const place = one.loc.filter((part) => part !== "body").join(".");
    const control = [...root.querySelectorAll("[data-field]")]
      .filter(({ dataset }) => place.includes(dataset.field))
      .sort((a, b) => b.dataset.field.length - a.dataset.field.length)[0];
    if (!control) {
      rest.push(one);
      continue;
    }
    control.setAttribute("aria-invalid", "true");
    const text = h("div", { class: "complaint", role: "alert" }, one.msg);
    (control.closest(".slider, .field") ?? control).after(text);
  }
  return rest;
}

/** Remove all errors. */
export function calm(root) {
  for (const text of root.querySelectorAll(".complaint")) text.remove();
  for (const control of root.querySelectorAll("[aria-invalid]")) control.removeAttribute("aria-invalid");
}
