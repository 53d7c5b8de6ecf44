// The view Race: optimizers on a surface, trained as a job, shown with one clock.
import { onAppearance } from "../appearance.js";
import { getCatalogue } from "../catalogue.js";
import { h, lessMotion } from "../dom.js";
import { onResize } from "../plot/plotly.js";
import { keys } from "./keys.js";
import { pointing } from "./pointing.js";
import { Race } from "./race.js";
import { withStableRates } from "./rates.js";
import { leftOut, readState } from "./state.js";

/** Show the race; ends when the signal aborts. */
export async function show(root, { signal }) {
  const catalogue = await getCatalogue();
  if (signal.aborted) return;
  const state = readState();
  const { isBare, hasNoRates } = leftOut();
  const surface = catalogue.surfaces.find(({ name }) => name === state.surface);
  state.start ??= surface?.start ?? [5, 2];
  const race = new Race({ root, catalogue, state, signal });
  if (hasNoRates && surface) race.set(withStableRates(state, { preview: race.preview, rates: catalogue.rates("surface") }));
  root.append(...layout(race));
  race.picture.resize();
  race.picture.recolour([]);
  listen(race, signal);
  await begin(race, isBare);
}

/** Lay out the parts of a race. */
function layout({ notice, picture, clock, panel, problems, figures, waiting, loss }) {
  return [
    h(
      "header",
      { class: "lead-in" },
      h("h1", {}, "Race optimizers downhill"),
      h(
        "p",
        {},
        "Each line is an optimizer on its way down. Drag the start or a slider: the paths follow. ",
        notice,
      ),
    ),
    h(
      "div",
      { class: "stage" },
      h("div", { class: "left" }, picture.element, clock.element),
      h("aside", { class: "right", "aria-label": "Settings" }, panel.element),
    ),
    problems,
    h(
      "div",
      { class: "below" },
      h("div", { class: "answer" }, waiting.element, figures),
      h("figure", { "aria-label": "Loss against step" }, loss),
    ),
  ];
}

/** Listen to pointer, keys, size and appearance until the signal aborts. */
function listen(race, signal) {
  const { picture, clock } = race;
  const { canvas } = picture;
  const frame = () => picture.frame();
  const zoom = (next) => race.zoom(next);
  const cropped = (point) => point.slice(0, race.state.start.length);
  pointing(canvas, {
    place: picture.path.at,
    frame,
    drag: (point) => race.moving.to({ start: cropped(point) }),
    drop: (point) => race.panel.start(cropped(point)),
    cancel: () => race.moving.cancel(),
    zoom,
  });
  keys({
    canvas,
    time: clock,
    panel: () => race.panel,
    repeat: () => race.change({}),
    back: () => race.restore(race.past.back(race.state)),
    forth: () => race.restore(race.past.on(race.state)),
    start: () => race.state.start,
    frame,
    zoom,
    signal,
  });
  onResize(picture.element, () => race.resize(), signal);
  onAppearance(() => race.recolour(), signal);
}

/** Run the first race: at the step that the address names, or played from the start where it names nothing. */
async function begin(race, isBare) {
  const { step, frame } = race.state;
  race.state.step = null;
  const done = race.change({ frame }, { redraws: true, step: false });
  // The browser has computed the paths already: they do not wait for the job.
  if (isBare && race.racers.length && !lessMotion()) {
    race.clock.go(0, false);
    race.clock.play();
  }
  await done;
  if (step !== null) race.clock.go(step);
}
