// Decision maps of networks: one for each optimizer, of one seed.
import { get } from "../api.js";
import { h, newId } from "../dom.js";
import { number } from "../format.js";
import { CONFIG, axis, layout, plotly } from "../plot/plotly.js";

// From one class over undecided to the other, safe for colour blindness: blue and orange (Okabe and Ito) through the ground.
const COLOURS = {
  light: [
    [0, "#0072b2"],
    [0.5, "#f4f6f7"],
    [1, "#d55e00"],
  ],
  dark: [
    [0, "#4aa8e0"],
    [0.5, "#1a2026"],
    [1, "#f07f2e"],
  ],
};

/** Make the maps: {element, draw(histories, optimizers), hide()}. */
export function decisions({ signal, isDark }) {
  const maps = h("div", { class: "maps" });
  const id = newId("seed");
  const choose = h("select", { id, onchange: () => show() });
  const element = h(
    "section",
    { class: "decisions panel", hidden: true, "aria-label": "Decisions" },
    h("div", { class: "row heading" }, h("h2", {}, "What they decide"), h("label", { for: id }, "seed"), choose),
    maps,
    h(
      "p",
      { class: "caption" },
      "Probability of class 1 after the last epoch: orange is class 1, blue class 0; the line is where it is a half.",
    ),
  );
  let groups = [];
  let grids = [];

  async function show() {
    const chosen = groups.map(({ label, runs }) => ({
      label,
      run: runs.find(({ seed }) => seed === Number(choose.value)),
    }));
    grids = await Promise.all(
      chosen.map(async ({ label, run }) => ({
        label,
        grid: run ? await get(`/v1/runs/${run.id}/decision`, { signal }).catch(nothing) : null,
      })),
    );
    if (!signal.aborted) await paint();
  }

  /** A run that diverged or was cancelled has no decision map. */
  function nothing(error) {
    if (error.status !== 404) throw error;
    return null;
  }

  async function paint() {
    if (element.hidden) return;
    const Plotly = await plotly();
    for (const old of maps.querySelectorAll(".map")) Plotly.purge(old);
    maps.replaceChildren(
      ...grids.map(({ label, grid }) =>
        h(
          "figure",
          { role: "img", "aria-label": `Decisions of ${label}` },
          h("figcaption", {}, label),
          grid
            ? h("div", { class: "map" })
            : h("p", { class: "caption none" }, "No decision: it did not train to its end."),
        ),
      ),
    );
    const places = [...maps.querySelectorAll(".map")];
    grids.filter(({ grid }) => grid).forEach(({ grid }, at) => draw(Plotly, places[at], grid));
  }

  function draw(Plotly, place, { x, y, values }) {
    const z = values.map((row) => row.map(number));
    const size = place.clientWidth;
    const colorscale = COLOURS[isDark() ? "dark" : "light"];
    const ends = (list) => [list[0], list.at(-1)];
    Plotly.newPlot(
      place,
      [
        {
          type: "heatmap",
          x,
          y,
          z,
          zmin: 0,
          zmax: 1,
          zsmooth: "best",
          colorscale,
          showscale: false,
          hovertemplate: "%{x:.2f}, %{y:.2f}: %{z:.2f}<extra></extra>",
        },
        {
          type: "contour",
          x,
          y,
          z,
          showscale: false,
          hoverinfo: "skip",
          contours: { start: 0.5, end: 0.5, size: 1, coloring: "none" },
          line: { width: 1.5, color: isDark() ? "#e8ecef" : "#1f2429" },
        },
      ],
      layout({
        width: size,
        height: size,
        margin: { l: 30, r: 6, t: 4, b: 24 },
        xaxis: axis("", { range: ends(x), showgrid: false, nticks: 5 }),
        yaxis: axis("", { range: ends(y), showgrid: false, nticks: 5 }),
      }),
      CONFIG,
    );
  }

  return {
    element,
    draw(histories, optimizers) {
      element.hidden = false;
      groups = [...histories.byLabel()]
        .map(([label, runs]) => ({ label, runs }))
        .filter(({ label }) => optimizers.some((one) => one.label === label));
      const seeds = [...new Set(groups.flatMap(({ runs }) => runs.map(({ seed }) => seed)))].sort(
        (one, other) => one - other,
      );
      const before = choose.value;
      choose.replaceChildren(...seeds.map((seed) => h("option", { value: seed }, seed)));
      choose.value = seeds.includes(Number(before)) && before ? before : seeds[0];
      return show();
    },
    repaint: paint,
    hide: () => {
      element.hidden = true;
    },
  };
}
