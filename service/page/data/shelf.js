// The datasets of the caller and the built-in ones: chosen by a click, and the own ones deleted after a confirmation.
import { send } from "../api.js";
import { confirmed } from "../controls/confirm.js";
import { h, note } from "../dom.js";
import { bytes, moment } from "../format.js";
import { table } from "../table.js";

/** Make the list; `choose(dataset)` follows a click, `deleted(dataset)` a deletion. */
export function shelf({ datasets, chosen, choose, deleted }) {
  const own = datasets.filter(({ created_at: created }) => created);
  const remove = async (one) => {
    const text = `${one.name}: jobs that have ended keep their results.`;
    const sure = await confirmed("Delete this dataset?", text, "Delete it");
    if (!sure) return;
    try {
      await send("DELETE", `/v1/datasets/${one.id}`);
      deleted(one);
    } catch (error) {
      note(error.message, 8);
    }
  };
  const pick = (one) =>
    h(
      "button",
      { type: "button", "aria-pressed": String(one.id === chosen), onclick: () => choose(one) },
      one.name,
    );
  const actions = (one) =>
    h(
      "button",
      { type: "button", class: "quiet", "aria-label": `Delete ${one.name}`, onclick: () => remove(one) },
      "Delete",
    );
  const mine = table(
    "Your datasets",
    [
      { name: "name", cell: pick, row: true },
      { name: "rows", cell: ({ rows }) => rows.toLocaleString("en"), number: true },
      { name: "size", cell: (one) => bytes(one.bytes), number: true },
      { name: "uploaded", cell: ({ created_at: created }) => moment(created) },
      { name: "", cell: actions },
    ],
    own,
  );
  const builtIn = datasets.filter((one) => !own.includes(one));
  return [
    own.length ? mine : "",
    h("div", { class: "row" }, h("span", { class: "caption" }, "Built in:"), builtIn.map(pick)),
  ];
}
