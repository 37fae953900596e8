"""100 000 pictures of 200 experiments: definitions, summaries, the report, and opening its page.

python benchmarks/load.py [EXPERIMENTS]
"""

import csv
import os
import struct
import subprocess
import sys
import time
import zlib
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import yaml
from common import RESULTS

from likeness.images import image_set
from likeness.studies.load import Registry
from likeness.studies.schema import Study
from resources.artifacts import Artifacts
from resources.manifest import Manifest, Work, fingerprint_of
from resources.report.page import put_in_place, render
from resources.summaries import collect
from resources.warehouse import build

EXPERIMENTS, PROMPTS, SEEDS = 200, 50, 10
ROOT = Path(__file__).parent.parent
# Opens a page in a real browser, goes to its first picture, and prints the milliseconds until the
# page had loaded, its pictures, and how many were fetched. Those come after the load: their number
# is read when it is above zero and has stood still for a second.
BROWSER = """
import sys, time
from selenium import webdriver
FETCHED = "return Array.from(document.images).filter(i => i.complete && i.naturalWidth).length"
options = webdriver.ChromeOptions()
for flag in "--headless --no-sandbox --disable-gpu --disable-dev-shm-usage".split():
    options.add_argument(flag)
browser = webdriver.Chrome(options)
try:
    browser.get("about:blank")
    browser.get(sys.argv[1])
    print(browser.execute_script(
        "const t = performance.getEntriesByType('navigation')[0]; return t.loadEventEnd"
    ))
    print(browser.execute_script("return document.images.length"))
    browser.execute_script("document.images[0].scrollIntoView()")
    before, fetched, end = -1, 0, time.monotonic() + 30
    while (fetched == 0 or fetched != before) and time.monotonic() < end:
        time.sleep(1)
        before, fetched = fetched, browser.execute_script(FETCHED)
    print(fetched)
finally:
    browser.quit()
"""


def study_of(count: int) -> Study:
    """A study of so many experiments, each of 50 prompts with 10 seeds."""
    experiments = {
        f"e{number:03d}": {
            "title": f"Experiment {number}",
            "model": "small",
            "prompts": [f"a dog on beach {prompt}" for prompt in range(PROMPTS)],
            "seeds": list(range(SEEDS)),
        }
        for number in range(count)
    }
    return Study.model_validate({"name": "load", "title": "Load", "experiments": experiments})


def picture(value: int) -> bytes:
    """A gray PNG of 1 x 1 pixel; its text makes the bytes of each another."""
    parts = (
        (b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0)),
        (b"tEXt", b"n\0%d" % value),
        (b"IDAT", zlib.compress(b"\0\x80")),
        (b"IEND", b""),
    )
    chunks = (
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        for name, data in parts
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def fill(artifacts: Artifacts, study: Study, drawn: int = PROMPTS) -> None:
    """Publish what the experiments would have made, without any model.

    All pictures have rows; those of the first ``drawn`` prompts have files too.
    """
    base = _publish(artifacts, "models/base", "small", {}, lambda folder: None)
    for number, key in enumerate(study.experiments):
        partition = f"{study.name}__{key}"
        model = _publish(artifacts, "models/finetuned", partition, {"base": base}, lambda _: None)
        inputs = {"model": model}
        _publish(
            artifacts, "images/made", partition, inputs, lambda f, n=number: _write(f, n, drawn)
        )


def _write(folder: Path, number: int, drawn: int) -> None:
    (folder / "images").mkdir()
    rows = []
    for prompt in range(PROMPTS):
        for seed in range(SEEDS):
            file = f"images/{prompt:03d}-{seed}.png"
            data = picture((number * PROMPTS + prompt) * SEEDS + seed)
            if prompt < drawn:
                (folder / file).write_bytes(data)
            rows.append(
                {"image_id": f"{number:04d}{prompt:06d}{seed:06d}", "file": file, "seed": seed}
                | {"prompt": f"a dog on beach {prompt}", "status": "accepted", "role": "made"}
                | {"width": 1, "height": 1, "model": "content://small", "guidance_scale": 4.0}
            )
    image_set.write(folder, image_set.frame(rows, {"role": "string"}))


def _publish(
    artifacts: Artifacts,
    asset: str,
    key: str,
    inputs: dict[str, Manifest],
    write: Callable[[Path], None],
) -> Manifest:
    with artifacts.room() as parent:
        folder = parent / "made"
        folder.mkdir()
        (folder / "key.txt").write_text(key)
        write(folder)
        work = Work(
            asset=asset,
            fingerprint=fingerprint_of({"asset": asset, "key": key}),
            params={"sampling": {"num_inference_steps": 25, "guidance_scale": 4}, "model": "small"},
            inputs={name: made.content for name, made in inputs.items()},
            summary={"method": "base"},
        )
        made = artifacts.store.publish(folder, work)
        artifacts.store.set_ref(asset, key, made, False, 0.0)
        return made


def timed(call: Callable[[], object]) -> float:
    """Seconds of one call."""
    began = time.perf_counter()
    call()
    return time.perf_counter() - began


def opened(page: Path) -> tuple[float, int, int]:
    """Seconds until a browser has loaded a page, its pictures, those fetched to see the first."""
    command = [sys.executable, "-c", BROWSER, page.as_uri()]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    return float(said[0]) / 1000, int(said[1]), int(said[2])


def definitions(study: Study, folder: Path) -> float:
    """Seconds until the definitions have loaded in a fresh interpreter, with this study too."""
    folder.mkdir()
    file = folder / "load.yaml"
    file.write_text(yaml.safe_dump(study.model_dump(mode="json", exclude_defaults=True)))
    settings = os.environ | {"LIKENESS_STUDIES": str(folder)}
    command = [sys.executable, "-c", "import pipelines.definitions"]
    return timed(lambda: subprocess.run(command, check=True, env=settings, cwd=ROOT))


def main(count: int) -> None:
    """Measure all of it and write it down."""
    study = study_of(count)
    registry = Registry(studies={"load": study})
    RESULTS.mkdir(exist_ok=True)
    with (
        TemporaryDirectory(prefix="likeness-load-") as name,
        (RESULTS / "load.csv").open("w", newline="") as file,
    ):
        state = Path(name)
        artifacts = Artifacts(store_uri=str(state / "artifacts"), state_dir=str(state))
        rows = csv.writer(file)
        rows.writerow(["what", "seconds", "experiments", "pictures"])

        def measured(what: str, seconds: float) -> None:
            print(f"{what}: {seconds:.2f} s", flush=True)
            rows.writerow([what, f"{seconds:.2f}", count, count * PROMPTS * SEEDS])
            file.flush()

        measured("definitions", definitions(study, state / "studies"))
        measured("publish", timed(lambda: fill(artifacts, study)))
        tables = timed(lambda: build(artifacts.warehouse, collect(artifacts, registry)))
        measured("summaries", tables)
        measured("report", timed(lambda: render(artifacts, registry, state / "page")))
        measured("put in place", timed(lambda: put_in_place(state / "page", artifacts.report)))
        seconds, images, fetched = opened(artifacts.report)
        measured("open the page", seconds)
        size = artifacts.report.stat().st_size / 1e6
        print(f"first page: {size:.2f} MB, {images} pictures, {fetched} fetched", flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else EXPERIMENTS)
