// The pointer on the picture: click or drag the start; with Ctrl or ⌘ the wheel zooms.

/**
 * Listen to the pointer: `drag(point)` on the way, `drop(point)` at the end, `cancel()` where the drag ends without one,
 * `zoom(frame)` for another part of the plane.
 *
 * `place(x, y)` gives the point of the plane under a place of the canvas, `frame()` the part that is shown.
 */
export function pointing(canvas, { place, frame, drag, drop, cancel, zoom }) {
  let dragged = false;
  const under = (event) => {
    const box = canvas.getBoundingClientRect();
    return place(event.clientX - box.left, event.clientY - box.top);
  };
  const rounded = (event) => under(event).map((value) => Number(value.toPrecision(4)));
  canvas.addEventListener("pointerdown", (event) => {
    if (event.button) return;
    dragged = true;
    canvas.setPointerCapture(event.pointerId);
    drag(rounded(event));
  });
  canvas.addEventListener("pointermove", (event) => dragged && drag(rounded(event)));
  canvas.addEventListener("pointerup", (event) => {
    if (!dragged) return;
    dragged = false;
    drop(rounded(event));
  });
  // A finger that moves up or down scrolls the page, which ends its drag.
  canvas.addEventListener("pointercancel", () => {
    if (dragged) cancel();
    dragged = false;
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
