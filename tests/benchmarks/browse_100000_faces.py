"""How an archive's page does with 100,000 faces in headless Chromium.

    ./run python tests/benchmarks/browse_100000_faces.py --folder /tmp/browse

makes the tables of an archive, page and shards (rendered faces, repeated; certainties and movements
by chance), and measures: bytes, seconds to the first faces, memory, and milliseconds of a search.
Kept tables are used again. ``--pictures`` also saves how it looks, wide and narrow, light and dark.
"""

import argparse
import io
import os
import re
import shutil
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from PIL import Image

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "workflow_scripts"))

from facesort.archive.browse import FOLDER, TAGS, browse_page
from facesort.archive.tables import STATES
from facesort.common.emotions import EMOTIONS
from facesort.demo.dataset import portrait
from facesort.faces import facs

PER_PHOTO, BUCKETS, SIDE = 5, 16, 96
WIDE, TALL = 1280, 960
THRESHOLD = 0.6


def layouts(number: int) -> list[tuple[bytes, list[bytes], np.ndarray]]:
    """Photos of five rendered faces: preview, thumbnails, boxes (5 of left, top, width, height)."""
    found = []
    for layout in range(number):
        rng = np.random.default_rng([7, layout])
        photo = Image.new("RGB", (WIDE, TALL), tuple(rng.integers(60, 180, 3)))
        thumbnails, boxes = [], []
        for face in range(PER_PHOTO):
            emotion = EMOTIONS[(layout * PER_PHOTO + face) % len(EMOTIONS)]
            picture = Image.fromarray(portrait(rng, emotion, SIDE)[0])
            side = int(rng.integers(120, 240))
            left, top = 10 + face * 250, int(rng.integers(10, TALL - side - 10))
            photo.paste(picture.resize((side, side)), (left, top))
            boxes.append([left, top, side, side])
            thumbnails.append(jpeg(picture))
        photo.thumbnail((320, 320))
        found.append((jpeg(photo), thumbnails, np.array(boxes, np.float32)))
    return found


def jpeg(picture: Image.Image) -> bytes:
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=85)
    return file.getvalue()


def make_tables(folder: Path, faces: int, drawn: list, names: list[str] | None = None) -> None:
    """Tables of an archive: photos of five faces each; one face in five is not answered."""
    rng = np.random.default_rng(0)
    count = faces // PER_PHOTO
    names = sorted(
        names or [f"{1900 + i % 120}/box {i % 37:02d}/scan_{i:06d}.jpg" for i in range(count)]
    )
    which = np.arange(count) % len(drawn)
    table = pd.DataFrame(
        {
            "photo": np.repeat(np.array(names, object), PER_PHOTO),
            "face": np.tile(np.arange(PER_PHOTO, dtype=np.int32), count),
        }
    )
    boxes = np.concatenate([drawn[each][2] for each in which])
    for at, name in enumerate(("left", "top", "width", "height")):
        table[name] = boxes[:, at]
    table["size"] = boxes[:, 2:].min(1) * np.float32(rng.uniform(0.2, 1.5))
    table["sharpness"] = rng.gamma(3, 1, len(table)).astype("f4")
    for name, most in (("yaw", 25), ("pitch", 12), ("roll", 8)):
        table[name] = rng.normal(0, most, len(table)).astype("f4")
    table["state"] = rng.choice(STATES, len(table), p=[0.8, 0.1, 0.02, 0.03, 0.05])
    answered = (table["state"] == "answered").to_numpy()
    emotion = (np.repeat(which, PER_PHOTO) * PER_PHOTO + table["face"]) % len(EMOTIONS)
    chances = rng.dirichlet(np.full(len(EMOTIONS), 0.3), len(table)) * 0.6
    chances[np.arange(len(table)), emotion] += 0.4
    own = {name: rng.beta(0.5, 1.2, len(table)) for name in TAGS if name not in EMOTIONS}
    own |= dict(zip(EMOTIONS, chances.T, strict=True))
    movements = {name: rng.normal(size=len(table)) for name in facs.columns(facs.table())}
    movements |= {"headYaw": table["yaw"], "headPitch": table["pitch"], "headRoll": table["roll"]}
    numbers = pd.DataFrame(movements | own).astype("f4")
    numbers.loc[~answered] = np.nan
    table = pd.concat([table, numbers], axis=1)
    given = np.array([(table[name] > THRESHOLD).to_numpy() for name in TAGS])
    words = np.array([tag.words for tag in TAGS.values()], object)
    table["tags"] = [";".join(words[each]) for each in given.T]
    looks = given[-len(EMOTIONS) :]
    best = words[-len(EMOTIONS) :][looks.argmax(0)]
    table["look"] = np.where(answered, np.where(looks.any(0), best, "unsure"), "")
    photos = pd.DataFrame({"photo": names, "width": WIDE, "height": TALL})
    photos = photos.astype({"width": "i4", "height": "i4"})
    folder.mkdir(parents=True, exist_ok=True)
    table.to_parquet(folder / "faces.parquet", index=False)
    photos.to_parquet(folder / "photos.parquet", index=False)
    thumbnails = table[["photo", "face"]].assign(
        jpeg=[each for layout in which for each in drawn[layout][1]]
    )
    previews = photos[["photo"]].assign(jpeg=[drawn[layout][0] for layout in which])
    # By chance, as photos fall into buckets by their path.
    bucket = rng.integers(0, BUCKETS, count)
    for name, each, own_bucket in (
        ("thumbnails", thumbnails, np.repeat(bucket, PER_PHOTO)),
        ("previews", previews, bucket),
    ):
        (folder / name).mkdir(exist_ok=True)
        for number in range(BUCKETS):
            part = each[own_bucket == number]
            part.to_parquet(folder / name / f"{number:03d}.parquet", index=False)


def make_page(folder: Path, link: str = "", **more: Any) -> Path:
    """Page and shards beside the tables."""
    shards = folder / FOLDER
    shutil.rmtree(shards, ignore_errors=True)
    pictures = [sorted((folder / name).glob("*.parquet")) for name in ("thumbnails", "previews")]
    tables = folder / "faces.parquet", folder / "photos.parquet"
    more.setdefault("thresholds", pd.Series(THRESHOLD, [tag.words for tag in TAGS.values()]))
    text = browse_page(*tables, *pictures, shards, link=link, **more)
    page = folder / "browse.html"
    page.write_text(text, encoding="utf-8")
    return page


def chromium():
    from selenium import webdriver

    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium") or shutil.which("google-chrome")
    flags = "headless=new no-sandbox disable-gpu disable-quic no-first-run hide-scrollbars"
    flags += " disable-background-networking disable-component-update disable-sync"
    for flag in (*flags.split(), "enable-precise-memory-info", "window-size=1400,1000"):
        options.add_argument(f"--{flag}")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    return webdriver.Chrome(options, webdriver.ChromeService(shutil.which("chromedriver")))


FIRST = """
const done = arguments[0];
const look = () => {
  const images = [...document.querySelectorAll(".cell img")];
  const seen = images.filter((image) => image.getBoundingClientRect().top < innerHeight);
  if (seen.length && seen.every((image) => image.src && image.complete)) done(performance.now());
  else requestAnimationFrame(look);
};
look();
"""
SEARCH = """
const done = arguments[0];
(async () => {
  SCRIPT;
  await search();
  const times = [];
  for (let i = 0; i < 5; i++) {
    const start = performance.now();
    await search();
    times.push(performance.now() - start);
  }
  done([times.sort((a, b) => a - b)[2], results.length]);
})();
"""
# The longest that the page kept from answering while it was scrolled from top to bottom.
SCROLL = """
const done = arguments[0];
(async () => {
  const waits = [];
  const high = document.documentElement.scrollHeight;
  for (let i = 0; i <= 120; i++) {
    scrollTo(0, (high * i) / 120);
    const start = performance.now();
    await new Promise((then) => requestAnimationFrame(() => requestAnimationFrame(then)));
    waits.push(performance.now() - start);
  }
  scrollTo(0, 0);
  waits.sort((a, b) => a - b);
  done([waits[60], waits.at(-1)]);
})();
"""
SEARCHES = {
    "no condition, by photo": "conditions = []",
    "one tag": "conditions = [{kind: 'tag', name: 'happy', least: null, most: false}]",
    "a tag's slider": "conditions = [{kind: 'tag', name: 'happy', least: 0.3, most: false}]",
    "a movement": "conditions = [{kind: 'movement', name: 'jawOpen', least: 0.1, most: false}]",
    "tag, movement, size, pose": (
        "conditions = [{kind: 'tag', name: 'happy', least: 0.3, most: false}, "
        "{kind: 'movement', name: 'jawOpen', least: 0.5, most: false}]; "
        "byId('size').value = 20; byId('pose').value = 'front'"
    ),
    "part of a path": "byId('find').reset(); conditions = []; byId('name').value = '1950/'",
    "more like a face": "byId('find').reset(); like = byPlace.find((i) => columns.state[i] === 0)",
}


def memory(driver) -> str:
    """What the page's script holds after a collection, and its process in all."""
    driver.execute_cdp_cmd("HeapProfiler.collectGarbage", {})
    heap = driver.execute_cdp_cmd("Runtime.getHeapUsage", {})
    own = {driver.service.process.pid}
    largest = 0
    for path in sorted(Path("/proc").glob("[0-9]*"), key=lambda path: int(path.name)):
        with suppress(OSError):
            status = (path / "status").read_text()
            if int(re.search(r"PPid:\t(\d+)", status)[1]) in own:
                own.add(int(path.name))
                if b"--type=renderer" in (path / "cmdline").read_bytes():
                    largest = max(largest, int(re.search(r"VmRSS:\s+(\d+)", status)[1]))
    return (
        f"heap {heap['usedSize'] / 1e6:.0f} MB, arrays {heap['backingStorageSize'] / 1e6:.0f} MB, "
        f"its process {largest / 1024:.0f} MB"
    )


def measure(page: Path) -> None:
    driver = chromium()
    driver.set_script_timeout(120)
    driver.execute_cdp_cmd("Performance.enable", {})
    firsts = []
    for _ in range(3):
        driver.get(page.as_uri())
        firsts.append(driver.execute_async_script(FIRST))
    print(f"first faces after {sorted(firsts)[1] / 1000:.2f} s (three: {np.round(firsts)} ms)")
    print(f"at the start: {memory(driver)}")
    for name, script in SEARCHES.items():
        took, found = driver.execute_async_script(SEARCH.replace("SCRIPT", script))
        print(f"search, {name}: {took:.0f} ms, {found:,} faces")
    driver.execute_async_script(SEARCH.replace("SCRIPT", "like = -1; conditions = []"))
    middle, longest = driver.execute_async_script(SCROLL)
    print(
        f"scrolled from top to bottom in 120 steps: a step {middle:.0f} ms, at most {longest:.0f}"
    )
    driver.execute_script("choose(0)")
    time.sleep(2)
    print(f"after all this: {memory(driver)}")
    errors = [entry for entry in driver.get_log("browser") if entry["level"] == "SEVERE"]
    driver.quit()
    if errors:
        raise SystemExit(f"the page complains: {errors}")


def take_pictures(page: Path, out: Path) -> None:
    out.mkdir(parents=True, exist_ok=True)
    for scheme in ("light", "dark"):
        driver = chromium()
        feature = {"name": "prefers-color-scheme", "value": scheme}
        driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [feature]})
        for width in (1400, 390):
            size = {"width": width, "height": 1000, "deviceScaleFactor": 1, "mobile": width < 500}
            driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
            driver.get(page.as_uri())
            time.sleep(2)
            for name, script in {
                "start": "",
                "face": "toggle('tag', 'happy'); setTimeout(() => choose(3), 500)",
                "judge": "startJudging('happy')",
                "help": "startJudging(''); byId('helping').showModal()",
            }.items():
                driver.execute_script(script)
                time.sleep(2)
                driver.save_screenshot(str(out / f"{name}-{width}-{scheme}.png"))
        driver.quit()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--faces", type=int, default=100_000)
    parser.add_argument("--pictures", type=Path)
    options = parser.parse_args()
    if not (options.folder / "photos.parquet").exists():
        make_tables(options.folder, options.faces, layouts(40))
    began = time.monotonic()
    page = make_page(options.folder)
    print(f"page and shards written in {time.monotonic() - began:.1f} s")
    for name in ("browse.html", f"{FOLDER}/columns", f"{FOLDER}/faces", f"{FOLDER}/photos", ""):
        path = options.folder / (name or FOLDER)
        files = [path] if path.is_file() else [each for each in path.rglob("*") if each.is_file()]
        total = sum(os.path.getsize(each) for each in files)  # noqa: PTH202
        print(f"{name or 'all shards'}: {total / 1e6:.1f} MB in {len(files):,} files")
    measure(page)
    if options.pictures:
        take_pictures(page, options.pictures)


if __name__ == "__main__":
    main()
