"""Screenshots of the page, light and dark, on a desktop and on a phone: make screenshots

Starts a stack, runs the jobs of the views, and opens each view in Chromium.
"""

import tempfile
from pathlib import Path

import httpx
from PIL import Image
from playwright.sync_api import Page, ViewportSize, sync_playwright

from benchmarks.page import find_chromium
from benchmarks.timing import wait_for_job
from service.cli.local.stack import LocalStack

FOLDER = Path(__file__).parent
# The name of each size of window, with the views that are pictured at it; the usual one has no name.
SIZES: dict[str, tuple[ViewportSize, tuple[str, ...]]] = {
    "": ({"width": 1440, "height": 1080}, ("race", "train", "sweep", "job", "lessons", "lesson")),
    "-phone": ({"width": 390, "height": 844}, ("race", "job", "lesson")),
}
# Colours of a picture: enough for text and maps, at a third of the bytes.
NUM_COLOURS = 192
# Lessons of at most 1 s, with every kind of verdict.
LESSONS = (
    "parabola-sgd",
    "window",
    "beta-zero",
    "ravine-large-lr",
    "ravine-momentum-smooth",
    "ravine-race",
    "flipnet-half",
)
JOB = {
    "name": "FlipNet: four methods, 20 seeds",
    "problem": {"kind": "flipnet"},
    "optimizers": [
        {"kind": "sgd", "lr": 0.05},
        {"kind": "momentum", "lr": 0.05},
        {"kind": "nesterov", "lr": 0.05},
        {"kind": "adam", "lr": 0.01},
    ],
    "seeds": {"first": 0, "count": 20},
    "epochs": 60,
}
RACE = "/?o=sgd,lr:0.015&o=momentum,lr:0.015,momentum:0.9&o=nesterov,lr:0.015,momentum:0.9&o=adam,lr:0.3&step=28"
TRAIN = (
    "/train?p=playground,dataset:circles&o=sgd,lr:0.1&o=momentum,lr:0.03,momentum:0.9&o=adam,lr:0.03&epochs=40&seeds=8"
)
SWEEP = "/sweep?p=surface,name:ravine&o=momentum&x=lr,0.005,0.5,40,log&y=momentum,0,0.96,40,linear&epochs=100&seeds=1"


def main() -> None:
    """Write all screenshots into the folder of this file."""
    with (
        tempfile.TemporaryDirectory() as folder,
        LocalStack(Path(folder), port=0, workers=1) as stack,
        httpx.Client(base_url=stack.url, timeout=60, trust_env=False) as client,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=["--no-sandbox"])
        addresses = prepared(client, browser.new_page(base_url=stack.url))
        for suffix, (size, names) in SIZES.items():
            for look in ("light", "dark"):
                context = browser.new_context(
                    base_url=stack.url,
                    viewport=size,
                    color_scheme="dark" if look == "dark" else "light",
                    reduced_motion="reduce",
                )
                for name in names:
                    take(context.new_page(), *addresses[name], FOLDER / f"{name}{suffix}-{look}.png")
        browser.close()


def take(page: Page, address: str, ready: str, path: Path) -> None:
    """Open an address, wait until it is drawn, and store its picture."""
    page.goto(address)
    page.wait_for_selector(ready)
    page.wait_for_load_state("networkidle")
    page.screenshot(path=path)
    page.close()
    with Image.open(path) as picture:
        picture.convert("RGB").quantize(NUM_COLOURS, dither=Image.Dither.NONE).save(path, optimize=True)


def prepared(client: httpx.Client, page: Page) -> dict[str, tuple[str, str]]:
    """Run the jobs of the views; give for each view its address and a selector that exists when it is drawn."""
    job = client.post("/v1/jobs", json=JOB).raise_for_status().json()
    for lesson in LESSONS:
        for one in client.post(f"/v1/lessons/{lesson}/jobs").raise_for_status().json()["jobs"]:
            wait_for_job(client, one["id"])
    wait_for_job(client, job["id"])
    addresses = {
        "race": (RACE, ".view[data-state=current] .readouts table"),
        "job": (f"/jobs/{job['id']}", ".lines[data-drawn]"),
        "lessons": ("/lessons", "li[data-lesson]"),
        "lesson": ("/lessons/ravine-race?step=figure&guess=holds", ".evidence .lines[data-drawn]"),
    }
    for name, address, button in (("train", TRAIN, "Train"), ("sweep", SWEEP, "Run the sweep")):
        page.goto(address)
        page.get_by_role("button", name=button, exact=True).click()
        done = f".view[data-{'trained' if name == 'train' else 'swept'}]"
        page.wait_for_selector(done)
        addresses[name] = (page.url, done)
    return addresses


if __name__ == "__main__":
    main()
