// Sign-in: one dialog, one cookie and one place in the header, for all tabs of a browser.
// The server keeps the session in a cookie that scripts cannot read; the key is sent once and never stored.
import { h, newId } from "./dom.js";
import { ApiError, request } from "./http.js";

const PATH = "/v1/session";
const tabs = new BroadcastChannel("ravine-session");
const changed = new EventTarget();

// The answer of the API about this browser; null while it is unknown, `name: undefined` while nobody is signed in.
let caller = null;
let dialog = null;
let asking = null;
let hasDeclined = false;
let numSignIns = 0;

const isSignedIn = () => caller?.required === true && caller.name !== undefined;

/** Whether the API requires a key. */
export const needsKey = () => caller?.required === true;

/** Call a function when the view has to be shown for another caller: signed in or out in the header or another tab. */
export const onCallerChange = (listener) => changed.addEventListener("change", listener);

/** Count the sign-ins, so that a request that was sent before one is repeated after it. */
export const signIns = () => numSignIns;

/** Read who is signed in, and show it in the header. */
export async function readSession() {
  try {
    caller = await (await request("GET", PATH)).json();
  } catch (error) {
    // Without a connection nothing is known; the view shows the error.
    if (error.status === 401) caller = { required: true };
  }
  show();
}

/** Ask for a key, once for all requests that need one; resolves to whether the browser is signed in now. */
export async function signedIn() {
  if (hasDeclined) return false;
  asking ??= ask().finally(() => (asking = null));
  return asking;
}

function ask() {
  caller = { required: true };
  show();
  return new Promise((resolve) => {
    const id = newId("key");
    const field = h("input", {
      id,
      type: "password",
      autocomplete: "off",
      required: true,
      "aria-describedby": `${id}-hint`,
    });
    const trouble = h("div", { class: "complaint", role: "alert" });
    const button = h("button", { class: "main" }, "Sign in");
    const submit = async (event) => {
      event.preventDefault();
      button.disabled = true;
      trouble.textContent = "";
      field.removeAttribute("aria-invalid");
      try {
        await useKey(field.value.trim());
        dialog.close("yes");
      } catch (error) {
        trouble.textContent = error.message;
        field.setAttribute("aria-invalid", "true");
        field.select();
      }
      button.disabled = false;
    };
    dialog = h(
      "dialog",
      { class: "sign-in", "aria-labelledby": `${id}-title` },
      h(
        "form",
        { onsubmit: submit },
        h("h2", { id: `${id}-title` }, "Sign in"),
        h(
          "p",
          {},
          "This server requires a key: one long text that is your name and your password at once. Your jobs belong to it.",
        ),
        h("div", { class: "field" }, h("label", { for: id }, "Your key"), field, trouble),
        h(
          "p",
          { class: "caption", id: `${id}-hint` },
          "No key yet? Ask the person who runs this server. On your own server, make one in a terminal: ",
          h("code", {}, "ravine keys create --name NAME"),
        ),
        h(
          "p",
          { class: "caption" },
          "You stay signed in, in all tabs of this browser, until you sign out. The key itself is not stored here.",
        ),
        h("div", { class: "row" }, button, h("button", { type: "button", onclick: () => dialog.close() }, "Cancel")),
      ),
    );
    dialog.addEventListener("close", () => {
      const isDone = dialog.returnValue === "yes";
      hasDeclined = !isDone;
      dialog.remove();
      dialog = null;
      show();
      resolve(isDone);
    });
    document.body.append(dialog);
    dialog.showModal();
  });
}

/** Exchange a key for the cookie of a session; throws an ApiError whose message says what to do. */
async function useKey(key) {
  const unknown =
    "This key is not known here. Copy the whole key again, or ask for a new one: it may have been revoked.";
  // A header cannot carry other characters, and no key has them.
  if (!/^[\x20-\x7e]+$/.test(key)) throw new ApiError(401, { detail: unknown });
  try {
    await request("POST", PATH, { headers: { Authorization: `Bearer ${key}` } });
  } catch (error) {
    throw error.status === 401 ? new ApiError(401, { detail: unknown }) : error;
  }
  await readSession();
  if (needsKey() && !isSignedIn()) {
    throw new ApiError(401, {
      detail: "The key is right, but this browser did not keep the cookie. Allow cookies for this site and try again.",
    });
  }
  numSignIns += 1;
  tabs.postMessage("in");
}

async function signOut() {
  try {
    await request("DELETE", PATH);
  } catch (error) {
    if (error.status !== 401) return trouble(error);
  }
  tabs.postMessage("out");
  leave();
}

/** Show that nobody is signed in. The dialog opens again when the user chooses "Sign in". */
function leave() {
  caller = { required: true };
  hasDeclined = true;
  show();
  changed.dispatchEvent(new Event("change"));
}

async function enter() {
  const before = caller?.name;
  await readSession();
  if (!isSignedIn()) return;
  numSignIns += 1;
  hasDeclined = false;
  if (dialog) dialog.close("yes");
  else if (caller.name !== before) changed.dispatchEvent(new Event("change"));
}

tabs.addEventListener("message", ({ data }) => (data === "in" ? enter() : leave()));

function trouble(error) {
  document.getElementById("session").append(h("span", { class: "complaint", role: "alert" }, error.message));
}

/** Show in the header who is signed in; nothing if the API requires no key. */
function show() {
  const signIn = async () => {
    hasDeclined = false;
    if (await signedIn()) changed.dispatchEvent(new Event("change"));
  };
  const name = caller?.name ?? "admin";
  const shown = isSignedIn()
    ? [
        h("span", { class: "caller", title: `Signed in with the key “${name}”` }, name),
        h("button", { type: "button", class: "quiet", onclick: signOut }, "Sign out"),
      ]
    : [h("button", { type: "button", class: "main", onclick: signIn }, "Sign in")];
  document.getElementById("session").replaceChildren(...(needsKey() ? shown : []));
}
