// Number of epochs, batch size and number of seeds.
import { h, newId } from "../dom.js";
import { log, slider } from "./slider.js";

const BATCHES = [1, 2, 4, 8, 16, 32, 64, 128, 256];

/** Make the controls of {epochs, batch, seeds}; batch is null for the default of the problem, `usual`, if that is known. `change(part)` follows each change. */
export function course({ value, change, mostSeeds = 200, isNetwork = true, usual = null }) {
  const unit = isNetwork ? "epochs" : "steps";
  const epochs = slider({
    name: unit,
    title: isNetwork ? "Passes over the data" : "Updates",
    value: value.epochs,
    scale: log(1, 2000),
    integer: true,
    least: 1,
    field: "epochs",
    change: (epochs) => change({ epochs }),
  });
  const seeds = slider({
    name: "seeds",
    title: "Seeds: each its own first weights, order and noise",
    value: value.seeds,
    scale: log(1, mostSeeds),
    integer: true,
    least: 1,
    field: "seeds",
    change: (seeds) => change({ seeds }),
  });
  const id = newId("batch");
  const sizes = [...new Set([...BATCHES, ...(Number(value.batch) ? [Number(value.batch)] : [])])].sort(
    (one, other) => one - other,
  );
  const batch = h(
    "select",
    {
      id,
      "data-field": "batch_size",
      value: value.batch ?? "",
      onchange: ({ target }) => {
        change({ batch: target.value === "" ? null : target.value === "full" ? "full" : Number(target.value) });
      },
    },
    h("option", { value: "" }, usual === null ? "default" : `default (${usual === "full" ? "all data" : usual})`),
    sizes.map((size) => h("option", { value: size }, size)),
    h("option", { value: "full" }, "all data"),
  );
  return h(
    "div",
    { class: "course" },
    epochs.element,
    seeds.element,
    isNetwork ? h("div", { class: "slider" }, h("label", { for: id }, "batch"), batch) : "",
  );
}
