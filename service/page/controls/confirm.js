// Confirmation of actions that cannot be undone.
import { h } from "../dom.js";

/** Show a question; resolves to whether the user confirmed. */
export function confirmed(title, text, verb) {
  return new Promise((resolve) => {
    const dialog = h(
      "dialog",
      { "aria-label": title },
      h(
        "form",
        { method: "dialog" },
        h("h2", {}, title),
        h("p", {}, text),
        h(
          "div",
          { class: "row" },
          h("button", { class: "danger", value: "yes" }, verb),
          h("button", { value: "", autofocus: true }, "Keep it"),
        ),
      ),
    );
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(dialog.returnValue === "yes");
    });
    document.body.append(dialog);
    dialog.showModal();
  });
}
