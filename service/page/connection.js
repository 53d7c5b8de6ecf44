// The connection to the server: a request that gets no answer starts attempts, which end when the server answers again.
import { h } from "./dom.js";

const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 4000;
const events = new EventTarget();
let isTrying = false;

/** Call a function when the server answers again: {wasLost}, whether it did not answer an attempt before. */
export const onReturn = (listener) => events.addEventListener("return", listener);

/** Note that a request got no answer; `root` is the path before that of the API. */
export async function lost(root) {
  if (isTrying) return;
  isTrying = true;
  const banner = h("div", { role: "status" }, "No connection to the server. Trying again …");
  let pause = FIRST_PAUSE_MS;
  let wasLost = false;
  for (;; pause = Math.min(pause * 1.5, LONGEST_PAUSE_MS)) {
    await slept(pause);
    const isBack = await answers(root);
    // A connection that only blinked is not worth a word.
    if (isBack) break;
    wasLost = true;
    document.getElementById("notes").append(banner);
  }
  banner.remove();
  isTrying = false;
  events.dispatchEvent(Object.assign(new Event("return"), { wasLost }));
}

/**
 * Wait, or until the browser reports a network again.
 *
 * @returns {Promise<void>}
 */
function slept(milliseconds) {
  return new Promise((done) => {
    const timer = setTimeout(end, milliseconds);
    addEventListener("online", end, { once: true });
    function end() {
      clearTimeout(timer);
      removeEventListener("online", end);
      done();
    }
  });
}

async function answers(root) {
  try {
    return (await fetch(`${root}/healthz`, { cache: "no-store" })).ok;
  } catch {
    return false;
  }
}
