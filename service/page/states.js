// Views without a result: empty, loading and failed.
import { h } from "./dom.js";

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
