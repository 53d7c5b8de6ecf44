"""Times of the page in Chromium: dragged frames, slider to new path, first paint, frame to frame, click to heat map."""

import shutil
import statistics
from typing import Any

import httpx
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from benchmarks.embedded import embedded_stack
from benchmarks.timing import wait_for_job

NUM_SLIDES = 20
# Shown when the figures of the last race are there.
CURRENT = ".view[data-state=current] .readouts table"
# 50 runs of 500 steps at a quarter of the speed: 16 seconds of frames.
CROWD = "/?seeds=50&steps=500&noise=3&o=sgd,lr:0.015"
# Six optimizers of 200 steps, whose paths the browser computes and draws for each frame while a slider moves.
NUM_DRAGS = 120
DRAG = "/?steps=200&" + "&".join(
    f"o={one}"
    for one in (
        "sgd,lr:0.015",
        "momentum,lr:0.015",
        "nesterov,lr:0.015",
        "adam,lr:0.1",
        "rmsprop,lr:0.05",
        "nadam,lr:0.1",
    )
)
# A slow mobile connection.
SLOW_BITS = 400_000
SLOW_LATENCY_MS = 40
# Longer frames are visible as a stutter.
STUTTER_MS = 50.0
HEAT_MAP = {
    "name": "heat map",
    "problem": {"kind": "surface", "name": "ravine"},
    "optimizers": [
        {
            "kind": "momentum",
            "lr": {"from": 0.005, "to": 0.5, "num": 100, "scale": "log"},
            "momentum": {"from": 0, "to": 0.96, "num": 100},
        }
    ],
    "epochs": 200,
    "record_every": 200,
}
SWEEP = "/sweep?p=surface,name:ravine&o=momentum&x=lr,0.005,0.5,100,log&y=momentum,0,0.96,100,linear&epochs=200&job="

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
_DRAG = """async (num) => {
  const slider = [...document.querySelectorAll(".optimizer input[type=range]")][0];
  const frame = () => new Promise(requestAnimationFrame);
  await frame();
  const gaps = [];
  let last = performance.now();
  for (let at = 0; at < num; at += 1) {
    slider.value = 150 + (at % 60);
    slider.dispatchEvent(new Event("input"));
    const now = await frame();
    gaps.push(now - last);
    last = now;
  }
  slider.dispatchEvent(new Event("change"));
  return gaps;
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


_HEAT_MAP = """async (value) => {
  const heatmap = document.querySelector(".heatmap");
  const done = new Promise((resolve) => {
    const observer = new MutationObserver(() => {
      observer.disconnect();
      requestAnimationFrame(() => setTimeout(() => resolve(performance.now())));
    });
    observer.observe(heatmap, { attributeFilter: ["data-drawn"] });
  });
  const clicked = performance.now();
  document.querySelector(`button[data-value=${value}]`).click();
  return (await done) - clicked;
}"""


def find_chromium() -> str:
    """Give the path of the browser.

    Raises:
        SystemExit: Chromium is not installed.
    """
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if path := shutil.which(name):
            return path
    raise SystemExit("Chromium is not installed: apt install chromium")


def measure() -> dict[str, Any]:
    """Measure with the embedded stack; Chromium must be installed."""
    with embedded_stack(workers=1) as client, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=["--no-sandbox"])
        try:
            return _measure(browser, client)
        finally:
            browser.close()


def _measure(browser: Browser, client: httpx.Client) -> dict[str, Any]:
    context = browser.new_context(base_url=str(client.base_url), viewport={"width": 1440, "height": 1000})
    page = _race(context, "/")
    slides = [_slide(page, at % 2 == 0) for at in range(NUM_SLIDES + 3)][3:]
    page.close()
    dragged = _race(context, DRAG)
    dragged.wait_for_selector(CURRENT)
    drags: list[float] = dragged.evaluate(_DRAG, NUM_DRAGS)
    dragged.close()
    paints = [_paint(context) for _ in range(5)]
    crowd = _race(context, CROWD)
    crowd.wait_for_selector(".verdict")
    gaps: list[float] = crowd.evaluate(_FRAMES)
    crowd.close()
    maps = _heat_maps(context, client)
    cold = [_cold(browser, client) for _ in range(3)]
    return {
        f"slider dragged, 6 optimizers × 200 steps, {NUM_DRAGS} frames (frames/s)": 1000 * len(drags) / sum(drags),
        "slider dragged, longest frame (ms)": max(drags),
        f"slider released to the service's path drawn, median of {NUM_SLIDES} (ms)": statistics.median(slides),
        "slider released to the service's path drawn, worst (ms)": max(slides),
        "first paint of / on a warm start, median of 5 (ms)": statistics.median(first for first, _ in paints),
        "request of / to drawn race, median of 5 (ms)": statistics.median(raced for _, raced in paints),
        f"cold at {SLOW_BITS // 1000} kbit/s, request of / to first paths, median of 3 (ms)": statistics.median(
            one[0] for one in cold
        ),
        f"cold at {SLOW_BITS // 1000} kbit/s, to the service's paths, median of 3 (ms)": statistics.median(
            one[1] for one in cold
        ),
        f"cold at {SLOW_BITS // 1000} kbit/s, bytes received": statistics.median(one[2] for one in cold),
        "50 runs × 500 points, frames": len(gaps),
        "50 runs × 500 points, median frame (ms)": statistics.median(gaps),
        "50 runs × 500 points, 99 % of frames within (ms)": sorted(gaps)[int(len(gaps) * 0.99)],
        "50 runs × 500 points, longest frame (ms)": max(gaps),
        "heat map of 100 × 100, click to drawn with its request, median of 6 (ms)": statistics.median(maps),
        "heat map of 100 × 100, worst (ms)": max(maps),
        f"50 runs × 500 points, frames over {STUTTER_MS:.0f} ms": sum(gap > STUTTER_MS for gap in gaps),
    }


def _cold(browser: Browser, client: httpx.Client) -> tuple[float, float, float]:
    """Load / in an empty profile over a slow connection.

    Give the milliseconds to the paths that the browser computes, to those of the service, and the bytes until then.
    """
    context = browser.new_context(base_url=str(client.base_url), viewport={"width": 1440, "height": 1000})
    page = context.new_page()
    session = context.new_cdp_session(page)
    received: list[float] = []
    session.on("Network.loadingFinished", lambda event: received.append(event["encodedDataLength"]))
    session.send("Network.enable")
    speed = {"downloadThroughput": SLOW_BITS / 8, "uploadThroughput": SLOW_BITS / 8}
    session.send("Network.emulateNetworkConditions", {"offline": False, "latency": SLOW_LATENCY_MS, **speed})
    page.goto("/", wait_until="commit")
    page.wait_for_selector(".view[data-raced]")
    first, raced = (
        page.evaluate(f"() => performance.getEntriesByName('{name}')[0].startTime") for name in ("shown", "raced")
    )
    context.close()
    return first, raced, sum(received)


def _heat_maps(context: BrowserContext, client: httpx.Client) -> list[float]:
    job = client.post("/v1/jobs", json=HEAT_MAP).raise_for_status().json()
    wait_for_job(client, job["id"])
    page = context.new_page()
    page.goto(SWEEP + job["id"])
    page.wait_for_selector(".view[data-swept] .heatmap[data-drawn]")
    page.wait_for_load_state("networkidle")
    maps = [float(page.evaluate(_HEAT_MAP, value)) for _ in range(3) for value in ("diverged", "final_loss")]
    page.close()
    return maps


def _slide(page: Page, forward: bool) -> float:
    """Move a slider after the figures of the last race are shown; give the milliseconds until the new path is drawn."""
    page.wait_for_selector(CURRENT)
    return float(page.evaluate(_SLIDE, forward))


def _race(context: BrowserContext, path: str) -> Page:
    page = context.new_page()
    page.goto(path)
    page.wait_for_selector(".view[data-raced]")
    return page


def _paint(context: BrowserContext) -> tuple[float, float]:
    """Give the times of the first contentful paint and of the first drawn race, in milliseconds."""
    page = _race(context, "/")
    first = page.evaluate("() => performance.getEntriesByName('first-contentful-paint')[0].startTime")
    raced = page.evaluate("() => performance.getEntriesByName('raced')[0].startTime")
    page.close()
    return first, raced
