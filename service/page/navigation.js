// Navigation between views without loading the page again.
import { ROOT } from "./api.js";
import { withHidden } from "./hiding.js";

const navigated = new EventTarget();

/** Call a function after each change of the address by `go`. */
export const onNavigate = (listener) => navigated.addEventListener("navigate", listener);

/** Go to an address of this page, as a link does. */
export function go(address) {
  history.pushState(null, "", withHidden(address.startsWith("http") ? address : ROOT + address));
  navigated.dispatchEvent(new Event("navigate"));
}
