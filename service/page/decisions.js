// What the networks of one seed decide, epoch by epoch: a map for each optimizer, its hidden units, and the points.
import { get } from "./api.js";
import { clock } from "./controls/clock.js";
import { decisionWords, depict } from "./depiction.js";
import { h, newId } from "./dom.js";
import { unitsOf } from "./engine/network.js";
import { isRegression, pointsOf } from "./engine/points.js";
import { number } from "./format.js";
import { board } from "./plot/board.js";
import { plainLabel } from "./labels.js";

// Values per side of a map, of the map of a unit, and how far they reach from the middle.
const SIDE = 40;
const UNIT_SIDE = 20;
const REACH = 1.25;
const grid = (side) => {
  const place = (at) => -REACH + (2 * REACH * at) / (side - 1);
  return Array.from({ length: side * side }, (_, at) => [place(at % side), place(Math.floor(at / side))]);
};
const [MAP, UNIT_MAP] = [grid(SIDE), grid(UNIT_SIDE)];

// Time between two readings of the weights while they are trained.
const PAUSE_MS = 700;

/**
 * Make the maps: {element, draw(histories, optimizers, spec), follow(histories, optimizers, problem), repaint(), hide()}.
 *
 * `follow` draws what is trained so far, `draw` the runs that reached the last epoch. `at(epoch)` follows the clock.
 */
export function decisions({ signal, at }) {
  const maps = h("div", { class: "maps" });
  const id = newId("seed");
  const choose = h("select", { id, onchange: () => show() });
  const shown = h("input", { type: "checkbox", onchange: () => paint(time.at) });
  const time = clock({ show: (place) => paint(place), signal, unit: "epoch", name: (place) => frames[place] ?? 0 });
  const caption = h("p", { class: "caption" });
  const element = h(
    "section",
    { class: "decisions panel", hidden: true, "aria-label": "Decisions" },
    h(
      "div",
      { class: "row heading" },
      h("h2", {}, "What they decide"),
      h("label", { for: id }, "seed"),
      choose,
      h("label", { class: "tick" }, shown, " show test points"),
    ),
    time.element,
    maps,
    caption,
  );
  let groups = [];
  let networks = [];
  // The epochs of the clock's places.
  let frames = [0];
  let points = [[], []];
  let isNumber = false;
  let isLive = false;
  let last = 0;
  // The reading in progress: a later one replaces it.
  let reading = 0;
  let readAt = 0;

  async function show() {
    const mine = (reading += 1);
    const isDrawn = ({ seed, epoch }) => seed === Number(choose.value) && (isLive || epoch.at(-1) === last);
    const chosen = groups.map(({ label, runs }) => ({ label, run: runs.find(isDrawn) }));
    const read = await Promise.all(
      chosen.map(async ({ label, run }) => ({ label, ...(run ? await readRun(run.id) : {}) })),
    );
    if (signal.aborted || mine !== reading) return;
    if (isLive && !read.some(({ network }) => network)) return;
    const isSame = !element.hidden && shapeOf(read) === shapeOf(networks);
    networks = read;
    element.hidden = false;
    if (!isSame) layOut();
    const longest = Math.max(0, ...networks.map(({ network }) => network?.epochs.length ?? 0));
    frames = networks.find(({ network }) => network?.epochs.length === longest)?.network.epochs ?? [0];
    time.element.hidden = frames.length < 2;
    time.range(frames.length - 1, { settles: false });
    if (!isLive) time.go(frames.length - 1);
  }

  /** Describe the elements that networks need, so that the same ones are kept. */
  const shapeOf = (list) =>
    JSON.stringify(list.map(({ label, network, values }) => [label, network?.widths, values !== undefined]));

  /** Read the weights of a run over its epochs; of a large job only the map at the end; nothing of a run that diverged. */
  async function readRun(run) {
    const network = await get(`/v1/runs/${run}/network`, { signal }).catch(nothing);
    if (network || isLive) return { network };
    const end = await get(`/v1/runs/${run}/decision`, { signal }).catch(nothing);
    return end ? { values: end.values.flat().map(number).map(asShade) } : {};
  }

  function nothing(error) {
    if (error.status !== 404) throw error;
    return null;
  }

  function layOut() {
    const unit = (layer) => (_, at) => h("canvas", { class: "unit", title: `unit ${at + 1} of hidden layer ${layer}` });
    maps.replaceChildren(
      ...networks.map(({ label, network, values }) => {
        const layers = (network?.widths.slice(1, -1) ?? []).map((num, layer) =>
          h("div", { class: "units" }, Array.from({ length: num }, unit(layer + 1))),
        );
        const map =
          network || values
            ? h("canvas", { class: "map" })
            : h("p", { class: "caption none" }, "No decision: it did not train to its end.");
        return h(
          "figure",
          { role: "img", "aria-label": `Decisions of ${plainLabel(label)}` },
          h("figcaption", {}, plainLabel(label)),
          map,
          layers,
        );
      }),
    );
    const has = networks.some(({ network }) => network);
    caption.textContent =
      (isNumber
        ? "The number that the network predicts: orange is 1, blue −1; the line is where it is 0. "
        : "Probability of class 1: orange is class 1, blue class 0; the line is where it is a half. ") +
      (has ? "Below each map are its hidden units: orange is the largest value of a unit, blue the smallest." : "");
  }

  function paint(place) {
    if (element.hidden || !networks.length) return;
    const drawn = [...points[0], ...(shown.checked ? points[1] : [])];
    [...maps.children].forEach((figure, at) => {
      const { network, values } = networks[at];
      const canvas = figure.querySelector(".map");
      if (!canvas) return;
      const tell = (decided) =>
        depict(figure, `Decisions of ${plainLabel(networks[at].label)}. ${decisionWords(decided.map(asNumber), SIDE, { isNumber })}`);
      if (!network) {
        tell(values);
        return board(canvas, { values, side: SIDE, reach: REACH, points: drawn });
      }
      const weights = network.weights[Math.min(place, network.weights.length - 1)].map(number);
      const decided = unitsOf(network, weights, MAP).at(-1)[0].map(asShade);
      tell(decided);
      board(canvas, { values: decided, side: SIDE, reach: REACH, points: drawn });
      const hidden = unitsOf(network, weights, UNIT_MAP).slice(0, -1).flat();
      [...figure.querySelectorAll(".unit")].forEach((one, which) =>
        board(one, { values: scaled(hidden[which]), side: UNIT_SIDE, reach: REACH, isPlain: true }),
      );
    });
    at(frames[place] ?? null);
  }

  /** Give a shade between 0 and 1 of a probability, or of a number from −1 to 1. */
  const asShade = (value) => (isNumber ? (value + 1) / 2 : value);

  const asNumber = (shade) => (isNumber ? 2 * shade - 1 : shade);

  function prepare(histories, optimizers, problem) {
    isNumber = isRegression(problem.dataset);
    points = [0, 1].map((part) =>
      pointsOf(problem, part).map((one) => ({ ...one, label: asShade(one.label), isTest: part === 1 })),
    );
    groups = [...histories.byLabel()]
      .map(([label, runs]) => ({ label, runs }))
      .filter(({ label }) => optimizers.some((one) => one.label === label));
    const seeds = [...new Set(groups.flatMap(({ runs }) => runs.map(({ seed }) => seed)))].sort(
      (one, other) => one - other,
    );
    if (seeds.join() === [...choose.options].map(({ value }) => value).join()) return;
    const before = choose.value;
    choose.replaceChildren(...seeds.map((seed) => h("option", { value: seed }, seed)));
    choose.value = seeds.includes(Number(before)) && before ? before : seeds[0];
  }

  return {
    element,
    draw(histories, optimizers, { problem, epochs }) {
      element.hidden = false;
      isLive = false;
      last = epochs;
      prepare(histories, optimizers, problem);
      return show();
    },
    async follow(histories, optimizers, problem) {
      if (performance.now() - readAt < PAUSE_MS) return;
      readAt = Infinity;
      isLive = true;
      prepare(histories, optimizers, problem);
      await show().finally(() => {
        readAt = performance.now();
      });
    },
    repaint: () => paint(time.at),
    hide: () => {
      time.pause();
      // What is being read belongs to another training.
      reading += 1;
      readAt = -Infinity;
      element.hidden = true;
    },
  };
}

/** Spread values over 0 to 1, with a half in the middle of them. */
function scaled(values) {
  const [low, high] = [Math.min(...values), Math.max(...values)];
  return values.map((one) => (high > low ? (one - low) / (high - low) : 0.5));
}
