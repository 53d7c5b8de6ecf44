// Jobs of races: one for each change of a race, deleted by themselves an hour after their end.
import { get } from "../api.js";

// Most requests for one page, where most jobs are races.
const MOST_PAGES = 8;

/** Whether a job is one of the view Race. */
export const isRace = ({ name, spec: { ttl_seconds: ttl } }) => ttl !== null && name.startsWith("Race on ");

/**
 * Get a page of the list: {items, next, hidden}.
 *
 * Without `races` they are left out and counted in `hidden`, and further pages are read until one has a job.
 */
export async function jobsPage(query, { races, signal }) {
  const items = [];
  let next = query.get("cursor");
  let hidden = 0;
  for (let pages = 0; pages < MOST_PAGES; pages += 1) {
    const asked = new URLSearchParams(query);
    if (next) asked.set("cursor", next);
    const page = await get(`/v1/jobs?${asked}`, { signal });
    const shown = races ? page.items : page.items.filter((job) => !isRace(job));
    items.push(...shown);
    hidden += page.items.length - shown.length;
    next = page.next;
    if (!next || items.length) break;
  }
  return { items, next, hidden };
}
