// One request to the API of this server, and its errors. Requests of views go through api.js, which handles sign-in.
import { lost } from "./connection.js";

export const ROOT = document.documentElement.dataset.root;

/** An error of the API: `title`, `detail` and, for invalid values, `errors: [{loc, msg}]`. */
export class ApiError extends Error {
  constructor(status, problem) {
    super(problem.detail || problem.title || `the server answered ${status}`);
    this.status = status;
    this.title = problem.title || "Error";
    this.errors = problem.errors || [];
  }
}

/**
 * Send a request and give the Response, which is a success or 304; throws ApiError.
 *
 * @param {string} method
 * @param {string} path
 * @param {{body?: unknown, signal?: AbortSignal, headers?: Record<string, string>}} options
 */
export async function request(method, path, { body, signal, headers = {} } = {}) {
  let response;
  try {
    response = await fetch(ROOT + path, {
      method,
      signal,
      body: body === undefined ? undefined : JSON.stringify(body),
      headers: {
        Accept: "application/json",
        // The cookie of the session allows writes only to scripts of this origin, which alone can send this header.
        "Ravine-Page": "1",
        ...(body === undefined ? {} : { "Content-Type": "application/json" }),
        ...headers,
      },
    });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    lost(ROOT);
    throw new ApiError(0, { title: "No connection", detail: "The server does not answer. The page goes on by itself when it does." });
  }
  if (response.ok || response.status === 304) return response;
  throw new ApiError(response.status, await response.json().catch(() => ({})));
}
