// The pointer on the picture: click or drag the start; with Ctrl or ⌘ the wheel zooms, two fingers pinch and pan.

/**
 * Listen to the pointer: `drag(point)` on the way, `drop(point)` at the end, `cancel()` where the drag ends without one,
 * `zoom(frame)` for another part of the plane.
 *
 * `place(x, y)` gives the point of the plane under a place of the canvas, `frame()` the part that is shown.
 */
export function pointing(canvas, { place, frame, drag, drop, cancel, zoom }) {
  let dragged = false;
  // Fingers on the picture, by their pointer: two of them pinch and pan it.
  const fingers = new Map();
  let pinched = null;
  const under = (event) => {
    const box = canvas.getBoundingClientRect();
    return place(event.clientX - box.left, event.clientY - box.top);
  };
  const rounded = (event) => under(event).map((value) => Number(value.toPrecision(4)));
  const stop = () => {
    if (dragged) cancel();
    dragged = false;
  };
  canvas.addEventListener("pointerdown", (event) => {
    if (event.button) return;
    canvas.setPointerCapture(event.pointerId);
    fingers.set(event.pointerId, event);
    if (fingers.size === 2) {
      stop();
      pinched = { frame: frame(), box: canvas.getBoundingClientRect(), from: grip(fingers) };
    }
    if (fingers.size > 1) return;
    dragged = true;
    // A second finger may follow the first.
    if (event.pointerType !== "touch") drag(rounded(event));
  });
  canvas.addEventListener("pointermove", (event) => {
    if (fingers.has(event.pointerId)) fingers.set(event.pointerId, event);
    if (pinched && fingers.size === 2) zoom(gripped(pinched, grip(fingers)));
    else if (dragged) drag(rounded(event));
  });
  const lift = (event) => {
    fingers.delete(event.pointerId);
    if (!fingers.size) pinched = null;
  };
  canvas.addEventListener("pointerup", (event) => {
    lift(event);
    if (!dragged) return;
    dragged = false;
    drop(rounded(event));
  });
  // A finger that moves up or down scrolls the page, which ends its drag.
  canvas.addEventListener("pointercancel", (event) => {
    lift(event);
    stop();
  });
  const turn = (event) => {
    // Without a key the wheel scrolls the page.
    if (!event.ctrlKey && !event.metaKey) return;
    event.preventDefault();
    zoom(scaled(frame(), event.deltaY > 0 ? 1.2 : 1 / 1.2, under(event)));
  };
  canvas.addEventListener("wheel", turn, { passive: false });
}

/** Give a part of the plane that is larger or smaller by a factor, around a point or the middle. */
export function scaled(frame, factor, around = [(frame[0] + frame[1]) / 2, (frame[2] + frame[3]) / 2]) {
  return frame.map((end, at) => around[at >> 1] + (end - around[at >> 1]) * factor);
}

/** Give the middle of two fingers and their distance, in pixels. */
function grip(fingers) {
  const [one, other] = [...fingers.values()];
  return {
    x: (one.clientX + other.clientX) / 2,
    y: (one.clientY + other.clientY) / 2,
    wide: Math.max(20, Math.hypot(one.clientX - other.clientX, one.clientY - other.clientY)),
  };
}

/** Give the part of the plane under two fingers that have moved: what was between them stays there. */
function gripped({ frame, box, from }, to) {
  const factor = from.wide / to.wide;
  const [width, height] = [(frame[1] - frame[0]) / box.width, (frame[3] - frame[2]) / box.height];
  const middle = [frame[0] + (from.x - box.left) * width, frame[3] - (from.y - box.top) * height];
  const [right, up] = [(from.x - to.x) * width * factor, (to.y - from.y) * height * factor];
  return scaled(frame, factor, middle).map((end, at) => end + (at < 2 ? right : up));
}
