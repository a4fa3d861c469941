"""The page in a browser: photos in, tags corrected, files out; on a wide and a narrow screen."""

import csv
import io
import json
import time

import pytest
from made_photos import encoded, photo
from made_xmp import exiftool, needs_exiftool
from served import TOKEN, Server

from facesort.archive.xmp import list_of, ours, parse, texts
from facesort.common.limits import EVIDENCE_URL, LAW_URL
from facesort.serve.limits import Limits
from facesort.serve.tag_page import tag_page

PLACES = ((40, 60, 200), (400, 200, 160))
# Drops files of these names and bytes on the page, as a person does with a mouse.
DROP = """
const moved = new DataTransfer();
for (const [name, text] of arguments[0]) {
  moved.items.add(new File([Uint8Array.from(atob(text), (sign) => sign.charCodeAt(0))], name));
}
for (const kind of ["dragenter", "dragover", "drop"]) {
  document.body.dispatchEvent(new DragEvent(kind, { dataTransfer: moved, bubbles: true }));
}
"""
NAME = 'two "faces", <b>&.jpg'


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    server = Server(tmp_path_factory.mktemp("serve"), "--max-pixels", 10_000_000)
    yield server
    server.stop()


@pytest.fixture
def files(tmp_path):
    folder = tmp_path / "photos"
    folder.mkdir()
    for name, count in ((NAME, 2), ("none.jpg", 0)):
        (folder / name).write_bytes(encoded(photo(PLACES[:count]), orientation=6))
    (folder / "notes.txt").write_text("no photo")
    return folder


@pytest.fixture
def still(browser):
    """A browser in which nothing moves while it is clicked."""
    reduced = {"name": "prefers-reduced-motion", "value": "reduce"}
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [reduced]})
    return browser


def choose(browser, *paths):
    browser.find_element("id", "files").send_keys("\n".join(map(str, paths)))


def wait(browser, words, seconds=60):
    """Until the page says something that begins so."""
    end = time.monotonic() + seconds
    while not (said := browser.find_element("id", "message").text).startswith(words):
        assert time.monotonic() < end, said
        time.sleep(0.1)


def named(folder, ending, seconds=60):
    """The file of an ending, whatever browsers put in the place of signs that no file may have."""
    end = time.monotonic() + seconds
    while not (found := [*folder.glob(f"two*.{ending}")]):
        assert time.monotonic() < end, [*folder.iterdir()]
        time.sleep(0.1)
    return found[0]


def button(browser, words, inside=".photo"):
    """The button of these words in a part of the page."""
    (found,) = (
        button
        for button in browser.find_elements("css selector", f"{inside} button")
        if button.text == words
    )
    return found


def test_a_photo_is_tagged_corrected_and_saved(server, still, files, saved, tmp_path):
    browser = still
    browser.get(server.address)
    assert "A look is not a feeling." in browser.find_element("tag name", "header").text
    choose(browser, files / NAME)
    wait(browser, "1 photo done")
    (card,) = browser.find_elements("css selector", ".photo")
    assert card.find_element("tag name", "h2").text == NAME
    picture = card.find_element("tag name", "img").rect
    for box, (left, top, side) in zip(
        card.find_elements("css selector", ".box"), PLACES, strict=True
    ):
        x = (box.rect["x"] + box.rect["width"] / 2 - picture["x"]) / picture["width"] * 640
        y = (box.rect["y"] + box.rect["height"] / 2 - picture["y"]) / picture["height"] * 480
        assert left < x < left + side and top < y < top + side
    first, second = card.find_elements("css selector", ".face")
    frowning = first.find_element("css selector", "input[value=frowning]")
    assert not frowning.is_selected()
    frowning.click()
    select = first.find_element("tag name", "select")
    select.send_keys("looks sad")
    assert "corrected" in first.text and "corrected" not in second.text
    for kind in ("JSON", "CSV", "XMP"):
        button(browser, f"Save {kind}").click()
        wait(browser, "Saved as")
    told = json.loads(saved(named(tmp_path, "json")).read_text(encoding="utf-8"))
    ((one, two),) = [each["faces"] for each in told["photos"]]
    assert {"frowning", "looks sad"} <= {*one["tags"]} and one["look"] == "looks sad"
    assert one["corrected"] and not two.get("corrected") and "picture" not in told["photos"][0]
    text = saved(named(tmp_path, "csv")).read_text(encoding="utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [row["photo"] for row in rows] == [NAME] * 2
    assert [row["tags"].split(";") for row in rows] == [one["tags"], two["tags"] or [""]]
    assert [row["corrected"] for row in rows] == ["yes", "no"]
    tree = parse(saved(named(tmp_path, "xmp")).read_bytes())
    assert [tags for _, tags in ours(tree)] == [one["tags"], two["tags"] or [""]]
    every = {f"facesort/{tag}" for face in (one, two) for tag in face["tags"]}
    assert {*texts(list_of(tree, "digiKam:TagsList"))} == every


@needs_exiftool
def test_exiftool_reads_what_was_saved(server, still, files, saved, tmp_path):
    browser = still
    browser.get(server.address)
    choose(browser, files / NAME)
    wait(browser, "1 photo done")
    for face in browser.find_elements("css selector", ".face"):
        for box in face.find_elements("css selector", "input"):
            if box.is_selected() != (box.get_attribute("value") == "brows raised"):
                box.click()
        face.find_element("tag name", "select").send_keys("looks surprised")
    button(browser, "Save XMP").click()
    wait(browser, "Saved as")
    read = exiftool(saved(named(tmp_path, "xmp")))
    assert read["XMP-digiKam:TagsList"] == ["facesort/brows raised", "facesort/looks surprised"]
    assert read["XMP-dc:Subject"] == ["brows raised", "looks surprised"]
    assert len(read["XMP-iptcExt:ImageRegion"]) == 2


def test_photos_are_dropped_and_what_is_none_is_told(server, browser, files):
    import base64

    browser.get(server.address)
    dropped = [
        [path.name, base64.b64encode(path.read_bytes()).decode()] for path in files.iterdir()
    ]
    browser.execute_script(DROP, dropped)
    wait(browser, "3 photos done, 1 of them refused")
    cards = {
        card.find_element("tag name", "h2").text: card.text
        for card in browser.find_elements("css selector", ".photo")
    }
    assert "2 faces" in cards[NAME] and "no faces" in cards["none.jpg"]
    assert "Not read: not an image: text that begins with 'no photo'" in cards["notes.txt"]
    assert button(browser, "Save CSV", "#drop").is_displayed()
    # The browser notes the answer 415 as an error.
    assert len(browser.get_log("browser")) == 1


def test_a_photo_is_taken_with_the_camera(server, browser):
    browser.get(server.address)
    browser.find_element("id", "take").click()
    end = time.monotonic() + 20
    while not browser.find_element("id", "shoot").is_displayed():
        assert time.monotonic() < end, browser.find_element("id", "message").text
        time.sleep(0.1)
    browser.find_element("id", "shoot").click()
    wait(browser, "1 photo done")
    assert "no faces" in browser.find_element("css selector", ".photo").text
    browser.find_element("id", "stop").click()
    assert not browser.find_element("id", "view").is_displayed()


@pytest.mark.parametrize("dark", [False, True])
def test_it_fits_a_phone_and_is_worked_by_keys(server, browser, files, dark):
    scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [scheme]})
    metrics = {"width": 390, "height": 900, "deviceScaleFactor": 1, "mobile": True}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    browser.get(server.address)
    choose(browser, files / NAME)
    wait(browser, "1 photo done")
    assert browser.execute_script("return document.documentElement.scrollWidth") == 390
    back = browser.execute_script("return getComputedStyle(document.body).backgroundColor")
    assert (sum(map(int, back[4:-1].split(","))) < 150) == dark
    # From the first box to its face, and on by Tab; the space bar changes a tag.
    from selenium.webdriver.common.keys import Keys

    browser.execute_script("document.querySelector('.box').focus()")
    browser.switch_to.active_element.send_keys(Keys.ENTER)
    tag = browser.switch_to.active_element
    assert tag.get_attribute("value") == "smiling"
    before = tag.is_selected()
    tag.send_keys(Keys.SPACE)
    assert tag.is_selected() != before
    tag.send_keys(Keys.TAB)
    assert browser.switch_to.active_element.get_attribute("value") == "mouth open"


def test_the_token_comes_with_the_address_or_from_a_person(browser, files, tmp_path):
    (tmp_path / "token").write_text(TOKEN)
    (tmp_path / "token").chmod(0o600)
    server = Server(tmp_path / "photos", "--workers", 1, "--token-file", tmp_path / "token")
    try:
        browser.get(server.address)
        browser.find_element("id", "token").send_keys(TOKEN)
        browser.find_element("css selector", "#key button").click()
        choose(browser, files / "none.jpg")
        wait(browser, "1 photo done")
        assert "no faces" in browser.find_element("css selector", ".photo").text
        browser.execute_script("sessionStorage.clear()")
        browser.get(f"{server.address}#token={TOKEN}")
        browser.refresh()
        assert not browser.find_element("id", "key").is_displayed()
        assert TOKEN not in browser.current_url
    finally:
        server.stop()


def test_the_page_may_ask_its_own_server_alone():
    page = tag_page(Limits(), token=False, kept=False)
    (policy,) = [line for line in page.splitlines() if "Content-Security-Policy" in line]
    assert "default-src 'none'" in policy and "connect-src 'self'" in policy
    # But for links that a person may follow.
    for link in ("http-equiv", f'href="{LAW_URL}"', f'href="{EVIDENCE_URL}"'):
        page = page.replace(link, "")
    assert "http" not in page
