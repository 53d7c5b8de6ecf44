// The upload of a file with its progress, which a request by fetch does not report.
import { allowed } from "../api.js";
import { ApiError, ROOT } from "../http.js";

/** Upload a file and give its dataset; `progress(share)` is called while bytes are sent. Throws ApiError. */
export const upload = (file, options) => allowed(() => sent(file, options));

function sent(file, { signal, progress }) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    const stop = () => request.abort();
    const fail = (status, problem) => reject(new ApiError(status, problem));
    request.open("POST", `${ROOT}/v1/datasets?${new URLSearchParams({ name: file.name.slice(0, 200) })}`);
    request.setRequestHeader("Accept", "application/json");
    // The cookie of the session allows writes only to scripts of this origin, which alone can send this header.
    request.setRequestHeader("Ravine-Page", "1");
    request.responseType = "json";
    request.upload.addEventListener("progress", ({ loaded, total }) => progress(total ? loaded / total : 1));
    request.addEventListener("load", () => {
      if (request.status < 300) resolve(request.response);
      else fail(request.status, request.response ?? {});
    });
    request.addEventListener("error", () =>
      fail(0, { title: "No connection", detail: "The server does not answer. Is it still running?" }),
    );
    request.addEventListener("abort", () => reject(new DOMException("The upload was cancelled", "AbortError")));
    request.addEventListener("loadend", () => signal.removeEventListener("abort", stop));
    signal.addEventListener("abort", stop);
    // Without a type: the ending of the name decides. Some systems call a CSV a spreadsheet.
    request.send(file.slice());
  });
}
