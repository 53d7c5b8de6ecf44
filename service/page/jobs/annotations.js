// Tags and note of a job: links to the jobs with a tag, and the form on the page of the job.
import { ROOT, patch } from "../api.js";
import { h, newId } from "../dom.js";
import { complain, calm, failure } from "../states.js";

/** Give a link for each tag of a job, to the list of the jobs with it. */
export const tagLinks = ({ tags }) =>
  tags.flatMap((tag) => [
    h("a", { class: "chip", href: `${ROOT}/jobs?tag=${encodeURIComponent(tag)}`, "aria-label": `Jobs tagged ${tag}` }, tag),
    " ",
  ]);

/** Make the form of tags and note; both are stored when a field is left. */
export function annotations(job) {
  const shown = h("p", {});
  const said = h("p", { class: "caption", role: "status" });
  const trouble = h("div", {});
  const [tagsId, noteId] = [newId("tags"), newId("note")];
  const tags = h("input", {
    id: tagsId,
    type: "text",
    value: job.tags.join(", "),
    placeholder: "lecture 3, to check",
    "data-field": "tags",
    onchange: () => put({ tags: tags.value.split(",").map((one) => one.trim()).filter(Boolean) }),
  });
  const note = h("textarea", {
    id: noteId,
    rows: 3,
    maxlength: 2000,
    value: job.note ?? "",
    "data-field": "note",
    onchange: () => put({ note: note.value.trim() || null }),
  });
  const element = h(
    "section",
    { "aria-label": "Tags and note" },
    h("h2", {}, "Tags and note"),
    shown,
    h("div", { class: "field" }, h("label", { for: tagsId }, "Tags, with commas between them"), tags),
    h("div", { class: "field" }, h("label", { for: noteId }, "Note"), note),
    trouble,
    said,
  );

  async function put(change) {
    said.textContent = "";
    trouble.replaceChildren();
    calm(element);
    try {
      const next = await patch(`/v1/jobs/${job.id}`, change);
      shown.replaceChildren(...tagLinks(next));
      if ("tags" in change) tags.value = next.tags.join(", ");
      said.textContent = "Stored.";
    } catch (error) {
      const rest = complain(element, error);
      if (rest.length || !error.errors?.length) trouble.replaceChildren(failure(error));
    }
  }

  shown.replaceChildren(...tagLinks(job));
  return element;
}
