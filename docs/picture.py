"""Make docs/pictures/summary.webp, the README's picture, from the summary of a finished demo run.

Run it by ``./run python docs/picture.py`` where ``results/`` holds the default run, whose faces are
rendered: no photograph of a person is committed. It needs Chrome and chromedriver, as tests do.
"""

import io
import shutil
from pathlib import Path

from PIL import Image
from selenium import webdriver
from selenium.webdriver.chrome.service import Service

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "results" / "summary.html"
PICTURE = ROOT / "docs" / "pictures" / "summary.webp"
# The first screen, in pixels of the page, and the picture's pixels for one of them.
WIDTH, HEIGHT, SCALE = 1280, 860, 1.5


def first_screen(page: Path) -> Image.Image:
    options = webdriver.ChromeOptions()
    for word in ("headless=new", "no-sandbox", "hide-scrollbars", "disable-gpu"):
        options.add_argument(f"--{word}")
    service = Service(shutil.which("chromedriver"))
    with webdriver.Chrome(options, service) as browser:
        size = {"width": WIDTH, "height": HEIGHT, "deviceScaleFactor": SCALE, "mobile": False}
        browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
        browser.get(page.as_uri())
        return Image.open(io.BytesIO(browser.get_screenshot_as_png())).convert("RGB")


if __name__ == "__main__":
    if not PAGE.exists():
        raise SystemExit(f"error: {PAGE} is not there; run ./run snakemake --cores all first")
    PICTURE.parent.mkdir(exist_ok=True)
    first_screen(PAGE).save(PICTURE, quality=80, method=6)
    print(f"{PICTURE}: {PICTURE.stat().st_size // 1000} kB")
