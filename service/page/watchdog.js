// Requests that never answer: given up after some time, and sent again.

const PATIENCE_MS = 5000;
const ATTEMPTS = 4;

/** Call `attempt(signal)` until it ends; one that does not end in time is aborted and repeated. Throws as it does. */
export async function insistent(attempt, signal, patience = PATIENCE_MS) {
  for (let number = 1; ; number += 1) {
    const own = new AbortController();
    const stop = () => own.abort();
    signal.addEventListener("abort", stop, { once: true });
    const timer = setTimeout(stop, patience);
    try {
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
