// One colour and one dash per optimizer, the same in all views and in the server's pictures (service/findings/plots/style.py).
import { isDark } from "./appearance.js";

// Okabe and Ito, Color Universal Design, 2008, without their yellow; SGD is grey-blue everywhere. [light, dark, dash]
export const STYLES = {
  sgd: ["#5b7c99", "#8fb0cc", []],
  momentum: ["#d55e00", "#f07f2e", [7, 2]],
  nesterov: ["#009e73", "#1fc79a", [5, 1.6, 1.2, 1.6]],
  adam: ["#cc79a7", "#e39ac2", [1.4, 1.4]],
  adamw: ["#0072b2", "#4aa8e0", [3.2, 1.6]],
  rmsprop: ["#e69f00", "#f2b632", [10, 2, 2, 2]],
  adagrad: ["#56b4e9", "#7fcbf5", [6, 1.4, 1.2, 1.4, 1.2, 1.4]],
  lion: ["#3a3a3a", "#f0f0f0", [2.4, 1, 1, 1]],
};

/** Choose a style for each series by the kind of its optimizer; further series of a kind get unused styles. */
export function lineStyles(kinds) {
  const names = Object.keys(STYLES);
  const wanted = [...new Set(kinds.filter((kind) => kind in STYLES))];
  const free = names.filter((name) => !wanted.includes(name) && name !== "sgd");
  const chosen = [];
  for (const kind of kinds) {
    if (wanted.includes(kind)) {
      wanted.splice(wanted.indexOf(kind), 1);
      chosen.push(kind);
    } else if (free.length) {
      chosen.push(free.shift());
    } else {
      const uses = (name) => [...chosen, ...wanted].filter((one) => one === name).length;
      chosen.push(names.filter((name) => name !== "sgd").sort((one, other) => uses(one) - uses(other))[0]);
    }
  }
  const dashes = names.map((name) => STYLES[name][2]);
  return chosen.map((name, at) => {
    const [light, dark] = STYLES[name];
    const again = chosen.slice(0, at).filter((one) => one === name).length;
    const dash = dashes[(names.indexOf(name) + 3 * again) % names.length];
    return { colour: isDark() ? dark : light, dash };
  });
}

/** Write a dash as Plotly takes it, in pixels for a line of some width. */
export const plotlyDash = (dash, width = 2) =>
  dash.length ? dash.map((part) => `${(part * width).toFixed(1)}px`).join(",") : "solid";
