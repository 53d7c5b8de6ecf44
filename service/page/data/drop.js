// The place where a file is dropped or chosen, with the progress of its upload and the reason of a refusal.
import { h, newId } from "../dom.js";
import { failure } from "../states.js";
import { upload } from "./upload.js";

const ENDINGS = ".csv,.tsv,.parquet,.npz,.txt";

/** Make the place; files dropped anywhere on `root` count. `uploaded(dataset)` follows each upload. */
export function dropPlace({ root, signal, uploaded }) {
  const id = newId("file");
  const input = h("input", { id, type: "file", accept: ENDINGS, class: "sr-only", onchange: () => take(input.files) });
  const choose = h("button", { type: "button", onclick: () => input.click() }, "Choose a file");
  const bar = h("progress", { max: 1, "aria-label": "Progress of the upload" });
  const words = h("span", { class: "caption" });
  const stop = h("button", { type: "button", onclick: () => sending?.abort() }, "Cancel");
  const course = h("div", { class: "progress", hidden: true }, bar, h("div", { class: "row" }, words, stop));
  const trouble = h("div", {});
  const element = h(
    "section",
    { class: "drop", "aria-label": "Upload" },
    h(
      "div",
      { class: "row" },
      choose,
      h("label", { for: id, class: "caption" }, "or drop one here: CSV, Parquet, NPZ or text"),
      input,
    ),
    course,
    trouble,
  );
  let sending = null;

  async function take([file]) {
    if (!file) return;
    sending?.abort();
    const mine = (sending = new AbortController());
    trouble.replaceChildren();
    course.hidden = false;
    show(0);
    try {
      uploaded(await upload(file, { signal: AbortSignal.any([signal, mine.signal]), progress: show }));
    } catch (error) {
      if (error.name !== "AbortError")
        trouble.replaceChildren(failure({ title: `${file.name}: not accepted`, message: error.message }));
    }
    input.value = "";
    if (mine === sending) course.hidden = true;

    function show(share) {
      if (share < 1) bar.value = share;
      // The server decodes the file after its last byte.
      else bar.removeAttribute("value");
      words.textContent = share < 1 ? `${file.name}: ${Math.round(100 * share)} % sent` : `${file.name}: being read …`;
    }
  }

  const over = (event) => {
    if (!event.dataTransfer?.types.includes("Files")) return;
    event.preventDefault();
    element.classList.add("over");
  };
  root.addEventListener("dragenter", over);
  root.addEventListener("dragover", over);
  root.addEventListener("dragleave", (event) => root.contains(event.relatedTarget) || element.classList.remove("over"));
  root.addEventListener("drop", (event) => {
    event.preventDefault();
    element.classList.remove("over");
    take(event.dataTransfer.files);
  });
  return element;
}
