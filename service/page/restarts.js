// Work that is begun anew with each change, such as the race of a moved slider: the former one is aborted.

/** Make a series: `next()` aborts the former and gives the AbortSignal of the next; all end with the view. */
export function restarts(signal) {
  let running = null;
  // One listener for all of them: a listener for each would stay until the view ends.
  signal.addEventListener("abort", () => running?.abort(), { once: true });
  return {
    next() {
      running?.abort();
      running = new AbortController();
      if (signal.aborted) running.abort();
      return running.signal;
    },
    stop: () => running?.abort(),
  };
}
