// Light or dark: the choice of the user, else the preference of the system.

const system = matchMedia("(prefers-color-scheme: dark)");
const changed = new EventTarget();

export const isDark = () => (document.documentElement.dataset.theme ?? (system.matches ? "dark" : "light")) === "dark";

/** Call a function whenever the appearance changes, until the signal aborts. */
export const onAppearance = (listener, signal) => changed.addEventListener("change", listener, { signal });

/** Turn light into dark and back, and remember it. */
export function toggleAppearance() {
  const theme = isDark() ? "light" : "dark";
  document.documentElement.dataset.theme = theme;
  localStorage.setItem("theme", theme);
  changed.dispatchEvent(new Event("change"));
}

system.addEventListener("change", () => changed.dispatchEvent(new Event("change")));

/** Read a colour of styles/tokens.css as it is now: colour("--ink"). */
export function colour(name) {
  probe.style.color = `var(${name})`;
  document.body.append(probe);
  const found = getComputedStyle(probe).color;
  probe.remove();
  return found;
}
const probe = document.createElement("span");
