"""How fast is the page in a real browser: from a slider to the new path, to the first paint, from frame to frame?"""

import shutil
import statistics
from typing import Any

import httpx
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

NUM_SLIDES = 20
# 50 runs of 500 steps at a quarter of the speed: 16 seconds of frames.
CROWD = "/?seeds=50&steps=500&noise=3&o=sgd,lr:0.015"
# Frames beyond this are seen as a stutter.
STUTTER_MS = 50.0
HEAT_MAP = {
    "name": "heat map",
    "problem": {"kind": "quadratic", "eigenvalues": [1, 10], "start": [1, 1]},
    "optimizers": [
        {
            "kind": "momentum",
            "lr": {"from": 0.001, "to": 0.3, "num": 100, "scale": "log"},
            "momentum": {"from": 0, "to": 0.99, "num": 100},
        }
    ],
    "epochs": 50,
    "record_every": 50,
}

_SLIDE = """async (forward) => {
  const view = document.querySelector(".view");
  const slider = [...document.querySelectorAll(".optimizer input[type=range]")].at(-1);
  const done = new Promise((resolve) => {
    const observer = new MutationObserver(() => {
      observer.disconnect();
      requestAnimationFrame(() => setTimeout(() => resolve(performance.now())));
    });
    observer.observe(view, { attributeFilter: ["data-raced"] });
  });
  slider.value = Number(slider.value) + (forward ? 4 : -4);
  slider.dispatchEvent(new Event("input"));
  const released = performance.now();
  slider.dispatchEvent(new Event("change"));
  return (await done) - released;
}"""
_FRAMES = """async () => {
  const gaps = [];
  document.querySelector("select[aria-label=Speed]").value = "0.5";
  document.querySelector("select[aria-label=Speed]").dispatchEvent(new Event("change"));
  document.querySelector("button[aria-label='To the start']").click();
  await new Promise((resolve) => setTimeout(resolve, 500));
  document.querySelector("button[aria-label=Play]").click();
  let last = performance.now();
  while (document.querySelector("button[aria-label=Pause]")) {
    const now = await new Promise(requestAnimationFrame);
    gaps.push(now - last);
    last = now;
  }
  return gaps.slice(1);
}"""


def measure(client: httpx.Client) -> dict[str, Any]:
    """Measure against a running stack; Chromium has to be installed."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        raise SystemExit("The page is measured in Chromium, which is not installed: apt install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        try:
            return _measure(browser, client)
        finally:
            browser.close()


def _measure(browser: Browser, client: httpx.Client) -> dict[str, Any]:
    context = browser.new_context(base_url=str(client.base_url), viewport={"width": 1440, "height": 1000})
    page = _race(context, "/")
    slides = [_slide(page, at % 2 == 0) for at in range(NUM_SLIDES + 3)][3:]
    page.close()
    paints = [_paint(context) for _ in range(5)]
    crowd = _race(context, CROWD)
    crowd.wait_for_selector(".verdict")
    gaps: list[float] = crowd.evaluate(_FRAMES)
    crowd.close()
    return {
        f"slider released to new path drawn, median of {NUM_SLIDES} (ms)": statistics.median(slides),
        "slider released to new path drawn, worst (ms)": max(slides),
        "first paint of / on a warm start, median of 5 (ms)": statistics.median(first for first, _ in paints),
        "race drawn after / was asked for, median of 5 (ms)": statistics.median(raced for _, raced in paints),
        "50 runs × 500 points, frames": len(gaps),
        "50 runs × 500 points, median frame (ms)": statistics.median(gaps),
        "50 runs × 500 points, 99 % of frames within (ms)": sorted(gaps)[int(len(gaps) * 0.99)],
        "50 runs × 500 points, longest frame (ms)": max(gaps),
        f"50 runs × 500 points, frames over {STUTTER_MS:.0f} ms": sum(gap > STUTTER_MS for gap in gaps),
    }


def _slide(page: Page, forward: bool) -> float:
    """Move a slider once all of the last race has been told; give the milliseconds until the new path is drawn."""
    page.wait_for_selector(".readouts:not(.stale) table")
    return float(page.evaluate(_SLIDE, forward))


def _race(context: BrowserContext, path: str) -> Page:
    page = context.new_page()
    page.goto(path)
    page.wait_for_selector(".view[data-raced]")
    return page


def _paint(context: BrowserContext) -> tuple[float, float]:
    """Give the first contentful paint, and when the first race was drawn, in milliseconds."""
    page = _race(context, "/")
    first = page.evaluate("() => performance.getEntriesByName('first-contentful-paint')[0].startTime")
    raced = page.evaluate("() => performance.getEntriesByName('raced')[0].startTime")
    page.close()
    return first, raced
