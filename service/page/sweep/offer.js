// Examples of sweeps, each started by a click.
import { get, getOnce } from "../api.js";
import { examples } from "../controls/examples.js";
import { h } from "../dom.js";
import { empty } from "../states.js";
import { firstState, stateOf } from "./state.js";

const PRESETS = ["beta-small", "large-batch-32", "convex-one-minimum-himmelblau", "momentum-escapes"];
const OWN = [
  {
    title: "Rate and momentum on the ravine",
    sentence: "625 settings: how far may the rate go, and what does momentum buy?",
    part: {},
  },
  {
    title: "Adam on FlipNet",
    sentence: "Rate and β₁, 20 by 20 settings, 10 seeds each.",
    part: {
      problem: { kind: "flipnet" },
      optimizer: { kind: "adam" },
      epochs: 30,
      seeds: 10,
      x: { name: "lr", from: 0.0005, to: 0.5, num: 20, scale: "log" },
      y: { name: "beta1", from: 0, to: 0.95, num: 20, scale: "linear" },
    },
  },
];

/** Give the empty state; `open(state)` is called by each example, `fail(error)` where one cannot be had. */
export async function offer({ catalogue, open, fail, signal }) {
  const known = (await getOnce("/v1/presets")).items.filter(({ name }) => PRESETS.includes(name));
  const preset = async (name) => open(stateOf((await get(`/v1/presets/${name}`, { signal })).spec, catalogue));
  return empty(
    "Which settings are good, and how near are those that diverge?",
    h(
      "p",
      { class: "lead" },
      "Choose a problem, an optimizer and two ranges; every setting is trained, all at once. Or begin with one of these.",
    ),
    examples([
      ...OWN.map(({ title, sentence, part }) => ({ title, sentence, open: () => open(firstState(part)) })),
      ...known.map(({ name, title, sentence }) => ({ title, sentence, open: () => preset(name).catch(fail) })),
    ]),
  );
}
