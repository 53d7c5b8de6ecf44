// Examples of trainings, each started by a click.
import { get, getOnce } from "../api.js";
import { examples } from "../controls/examples.js";
import { h } from "../dom.js";
import { empty } from "../states.js";
import { firstState, stateOf } from "./state.js";

const PRESETS = ["flipnet-half", "nesterov-5-10-flipnet", "cosine", "large-batch-32"];
const OWN = [
  {
    title: "Two spirals",
    sentence: "The playground's hardest points: which optimizer winds around them first?",
    state: {
      problem: { kind: "playground", dataset: "spiral", widths: [16, 16], noise: 0.02 },
      epochs: 200,
      seeds: 3,
      optimizers: [
        { kind: "sgd", lr: 0.3 },
        { kind: "momentum", lr: 0.1, momentum: 0.9 },
        { kind: "adam", lr: 0.03 },
      ],
    },
  },
  {
    title: "Circles",
    sentence: "A ring around a disc, eight hidden units: the line that each optimizer draws between them.",
    state: { problem: { kind: "playground" } },
  },
];

/** Give the empty state; `open(state)` is called by each example, `fail(error)` where one cannot be had. */
export async function offer({ catalogue, open, fail, signal }) {
  const known = (await getOnce("/v1/presets")).items.filter(({ name }) => PRESETS.includes(name));
  const preset = async (name) => open(stateOf((await get(`/v1/presets/${name}`, { signal })).spec, catalogue));
  return empty(
    "Which optimizer trains this network best?",
    h(
      "p",
      { class: "lead" },
      "Choose a problem and optimizers, then train: every one starts from the same weights and sees the same data. ",
      "Or begin with one of these.",
    ),
    examples([
      ...OWN.map(({ title, sentence, state }) => ({
        title,
        sentence,
        open: () => open({ ...firstState(catalogue, state.problem.kind), ...state }),
      })),
      ...known.map(({ name, title, sentence }) => ({ title, sentence, open: () => preset(name).catch(fail) })),
    ]),
  );
}
