// Requests that never answer: given up after some time, and sent again.

// The patience of the first attempt; each further one has twice that of the one before, for a server that is only slow.
const PATIENCE_MS = 4000;
const ATTEMPTS = 5;

/** Call `attempt(signal)` until it ends; one that does not end in time is aborted and repeated. Throws as it does. */
export async function insistent(attempt, signal, patience = PATIENCE_MS) {
  for (let number = 1; ; number += 1) {
    const own = new AbortController();
    const stop = () => own.abort();
    signal.addEventListener("abort", stop, { once: true });
    const timer = setTimeout(stop, patience * 2 ** (number - 1));
    try {
      signal.throwIfAborted();
      return await attempt(own.signal);
    } catch (error) {
      if (error.name !== "AbortError" || signal.aborted) throw error;
      if (number === ATTEMPTS) throw Object.assign(new Error("The server did not answer."), { title: "No answer" });
    } finally {
      clearTimeout(timer);
      signal.removeEventListener("abort", stop);
    }
  }
}
