// The view Race: optimizers on a surface, trained as a job, shown with one clock.
import { onAppearance } from "../appearance.js";
import { getCatalogue } from "../catalogue.js";
import { h, lessMotion } from "../dom.js";
import { onResize } from "../plot/plotly.js";
import { keys } from "./keys.js";
import { pointing } from "./pointing.js";
import { Race } from "./race.js";
import { readState } from "./state.js";

/** Show the race; ends when the signal aborts. */
export async function show(root, { signal }) {
  const catalogue = await getCatalogue();
  const state = readState();
  state.start ??= catalogue.surfaces.find(({ name }) => name === state.surface)?.start ?? [5, 2];
  const race = new Race({ root, catalogue, state, signal });
  root.append(...layout(race));
  race.picture.resize();
  race.picture.recolour([]);
  listen(race, signal);
  await begin(race);
}

/** Lay out the parts of a race. */
function layout({ picture, clock, panel, problems, figures, loss }) {
  return [
    h("h1", { class: "sr-only" }, "Race"),
    h(
      "div",
      { class: "stage" },
      h("div", { class: "left" }, picture.element, clock.element),
      h("aside", { class: "right", "aria-label": "Settings" }, panel.element),
    ),
    problems,
    h("div", { class: "below" }, figures, h("figure", { "aria-label": "Loss against step" }, loss)),
  ];
}

/** Listen to pointer, keys, size and appearance until the signal aborts. */
function listen(race, signal) {
  const { picture, clock, panel } = race;
  const { canvas } = picture;
  const frame = () => picture.frame();
  const zoom = (next) => race.zoom(next);
  const cropped = (point) => point.slice(0, race.state.start.length);
  pointing(canvas, {
    place: picture.path.at,
    frame,
    drag: (point) => picture.showStart(cropped(point)),
    drop: (point) => panel.start(cropped(point)),
    zoom,
  });
  keys({
    canvas,
    time: clock,
    panel,
    repeat: () => race.change({}),
    start: () => race.state.start,
    frame,
    zoom,
    signal,
  });
  onResize(picture.element, () => race.resize(), signal);
  onAppearance(() => race.recolour(), signal);
}

/** Run the first race: at the step that the address names, or played from the start where it names nothing. */
async function begin(race) {
  const { step, frame } = race.state;
  race.state.step = null;
  await race.change({ frame }, { redraws: true });
  if (step !== null) race.clock.go(step);
  else if (!lessMotion() && race.racers.length && !new URLSearchParams(location.search).size) race.clock.play();
}
