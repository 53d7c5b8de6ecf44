"""Draw the picture of the README from a running Ravine: ``python docs/images/draw.py http://127.0.0.1:8000``."""

import sys
import time
from pathlib import Path

import httpx
import numpy as np

SPEC = {
    "name": "The picture of the README",
    "problem": {"kind": "flipnet"},
    "optimizers": [
        {"label": "SGD", "kind": "sgd", "lr": 0.05},
        {"label": "Momentum", "kind": "momentum", "lr": 0.05, "momentum": 0.9},
        {"label": "Nesterov", "kind": "nesterov", "lr": 0.05, "momentum": 0.9},
        {"label": "Adam", "kind": "adam", "lr": 0.01},
    ],
    "seeds": {"first": 0, "count": 20},
    "epochs": 30,
}
# Okabe and Ito's palette, safe for colour blindness; SGD is always grey-blue. The dashes tell lines apart in print.
STYLES = {
    "SGD": ("#5b7c99", ""),
    "Momentum": ("#d55e00", ""),
    "Nesterov": ("#009e73", "7 3"),
    "Adam": ("#cc79a7", "2 3"),
}
WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 720, 380, 58, 92, 24, 44
LOWEST, HIGHEST = 0.05, 1.2


def losses(url: str) -> dict[str, np.ndarray]:
    """Run the job and give the losses [runs, epochs] of each label."""
    with httpx.Client(base_url=url, timeout=30) as client:
        job = client.post("/v1/jobs", json=SPEC).raise_for_status().json()
        while client.get(f"/v1/jobs/{job['id']}").json()["status"] != "completed":
            time.sleep(0.05)
        runs = client.get(f"/v1/jobs/{job['id']}/metrics", params={"fields": "loss", "limit": 500}).json()["runs"]
    return {label: np.array([run["loss"] for run in runs if run["label"] == label]) for label in STYLES}


def x(epoch: float) -> float:
    """Give the place of an epoch."""
    return LEFT + epoch / 30 * (WIDTH - LEFT - RIGHT)


def y(loss: float) -> float:
    """Give the place of a loss, on a logarithmic scale."""
    share = np.log(loss / LOWEST) / np.log(HIGHEST / LOWEST)
    return float(HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM))


def line(values: np.ndarray) -> str:
    """Give a polyline's points."""
    return " ".join(f"{x(epoch):.1f},{y(loss):.1f}" for epoch, loss in enumerate(values))


def draw(histories: dict[str, np.ndarray]) -> str:
    """Draw medians and bands, with a label at the end of each line."""
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="system-ui, sans-serif" '
        'font-size="13" role="img"><title>FlipNet, 20 seeds: loss against epoch, median and 5 % to 95 %</title>',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>',
    ]
    for loss in (0.0625, 0.1, 0.2, 0.5, 1.0):
        parts.append(f'<path d="M{LEFT} {y(loss):.1f}H{WIDTH - RIGHT}" stroke="#e3e6ea"/>')
        parts.append(f'<text x="{LEFT - 8}" y="{y(loss) + 4:.1f}" text-anchor="end" fill="#555">{loss:g}</text>')
    for epoch in range(0, 31, 5):
        parts.append(
            f'<text x="{x(epoch):.1f}" y="{HEIGHT - BOTTOM + 20}" text-anchor="middle" fill="#555">{epoch}</text>'
        )
    parts.append(f'<text x="{x(15):.1f}" y="{HEIGHT - 6}" text-anchor="middle" fill="#333">epoch</text>')
    parts.append(f'<text x="{LEFT - 8}" y="{TOP - 9}" text-anchor="end" fill="#333">loss</text>')
    parts.append(f'<text x="{x(0) + 4:.1f}" y="{y(0.0625) - 5:.1f}" fill="#777" font-size="11">1/16, the floor</text>')
    ends: list[float] = []
    for label, (colour, dashes) in STYLES.items():
        low, median, high = np.quantile(histories[label], [0.05, 0.5, 0.95], axis=0)
        band = f"{line(low)} " + " ".join(line(high).split()[::-1])
        parts.append(f'<polygon points="{band}" fill="{colour}" opacity="0.13"/>')
        parts.append(
            f'<polyline points="{line(median)}" fill="none" stroke="{colour}" stroke-width="2.2" '
            f'stroke-dasharray="{dashes}"/>'
        )
        ends.append(float(median[-1]))
    places = _apart([y(end) for end in ends], 15.0)
    for (label, (colour, _)), place in zip(STYLES.items(), places, strict=True):
        parts.append(f'<text x="{x(30) + 7:.1f}" y="{place + 4:.1f}" fill="{colour}" font-weight="600">{label}</text>')
    return "\n".join([*parts, "</svg>\n"])


def _apart(places: list[float], distance: float) -> list[float]:
    """Move labels apart that would overlap, in their order from top to bottom."""
    moved = dict(enumerate(places))
    previous = -1e9
    for at in sorted(moved, key=lambda at: moved[at]):
        moved[at] = previous = max(moved[at], previous + distance)
    return [moved[at] for at in range(len(places))]


if __name__ == "__main__":
    Path(__file__).with_name("flipnet.svg").write_text(draw(losses(sys.argv[1])))
