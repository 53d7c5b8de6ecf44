// Following a job: server-sent events by fetch, which gives the status of an error; polling by ETag if a stream breaks.
import { ApiError, get, send } from "./api.js";
import { isOpen } from "./status.js";

// After a broken stream no other one is tried, because a proxy that closes streams would close it too.
const MAX_BREAKS = 3;
const POLL_MS = 500;
// The server sends a comment every 15 s: a stream that is silent for longer is broken, whatever the connection says.
const SILENCE_MS = 40_000;

/**
 * Follow a job to its end and give the ended job.
 *
 * `tell` has the callbacks `status(name)`, `progress(progress)`, `decision(decision)`, `metrics(runs)` with new rows, and
 * `restart()` before all rows are sent again.
 *
 * @param {string} jobId
 * @param {{fields?: string[], maxPoints?: number | null, labels?: string[], runs?: (string | number)[], signal?: AbortSignal,
 *   status?: (name: string) => void, progress?: (progress: any) => void, decision?: (decision: any) => void,
 *   metrics?: (runs: any[]) => void, restart?: () => void}} options
 */
export async function follow(jobId, { fields, maxPoints, labels, runs, signal, ...tell } = {}) {
  const query = new URLSearchParams();
  if (fields) query.set("fields", fields.join(","));
  if (maxPoints) query.set("max_points", String(maxPoints));
  for (const label of labels ?? []) query.append("labels", label);
  if (runs) query.set("runs", runs.join(","));
  let last = null;
  for (let breaks = 0; breaks < MAX_BREAKS;) {
    try {
      const headers = { Accept: "text/event-stream", ...(last ? { "Last-Event-ID": last } : {}) };
      const response = await send("GET", `/v1/jobs/${jobId}/events?${query}`, { signal, headers });
      for await (const event of read(response.body)) {
        if (event.id) last = event.id;
        if (event.data) breaks = 0;
        if (event.name === "end") return event.data;
        if (event.name === "metrics") tell.metrics?.(event.data.runs);
        else if (event.name === "status") tell.status?.(event.data.status);
        else if (event.name === "progress") tell.progress?.(event.data);
        else if (event.name === "decision") tell.decision?.(event.data);
      }
    } catch (error) {
      // After a 404 or an invalid key a repetition would fail too.
      if (error.name === "AbortError" || (error instanceof ApiError && error.status)) throw error;
    }
    breaks += 1;
  }
  return poll(jobId, query, signal, tell);
}

/** Read the events of a stream (WHATWG HTML, section 9.2.6). */
export async function* read(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  // The reader is cancelled only after a silence: the server closes the stream after `end`, and a closed view aborts the request.
  for (;;) {
    const silence = setTimeout(() => reader.cancel().catch(() => {}), SILENCE_MS);
    const { value, done } = await reader.read().finally(() => clearTimeout(silence));
    if (done) return;
    const parts = (rest + value).split("\n\n");
    rest = parts.pop();
    for (const part of parts) {
      const event = { name: "message", id: null, data: "" };
      for (const line of part.split("\n")) {
        if (line.startsWith("event: ")) event.name = line.slice(7);
        else if (line.startsWith("id: ")) event.id = line.slice(4);
        else if (line.startsWith("data: ")) event.data += line.slice(6);
      }
      if (event.data) yield { ...event, data: JSON.parse(event.data) };
    }
  }
}

async function poll(jobId, query, signal, tell) {
  let tag = null;
  let job = null;
  for (;;) {
    const response = await send("GET", `/v1/jobs/${jobId}`, { signal, headers: tag ? { "If-None-Match": tag } : {} });
    if (response.status !== 304) {
      tag = response.headers.get("ETag");
      job = await response.json();
      tell.status?.(job.status);
      tell.progress?.(job.progress);
      if (job.decision) tell.decision?.(job.decision);
    }
    if (!isOpen(job.status)) break;
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    signal?.throwIfAborted();
  }
  if (tell.metrics) {
    tell.restart?.();
    for (let cursor = ""; cursor !== null;) {
      const page = await get(`/v1/jobs/${jobId}/metrics?${query}${cursor && `&cursor=${encodeURIComponent(cursor)}`}`, {
        signal,
      });
      tell.metrics(page.runs);
      cursor = page.next;
    }
  }
  return job;
}
