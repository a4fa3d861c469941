"""The page of best shots: it shows what the tables say, and hostile names stay text."""

import re
from urllib.parse import unquote

import numpy as np
import pandas as pd
import pytest
from made_album import face, photos

from facesort.album import album
from facesort.album.album import album_page
from facesort.album.bursts import ranked
from facesort.album.faults import counted
from facesort.album.summary import head_shots, summaries
from facesort.archive.pictures import jpeg
from facesort.archive.tables import PREVIEWS, THUMBNAILS
from facesort.common.job import InputError

TAKE = "document.title='taken'"
HOSTILE = f'</script><script>{TAKE}</script><img src=x onerror="{TAKE}">\'&'
NAMES = [f"{HOSTILE}/{n}.jpg" for n in range(9)] + ["NA/1 #?%.jpg", 'NA/"q",ü.jpg', "top\\xff.jpg"]


@pytest.fixture
def folder(tmp_path):
    """Tables and pictures of two series, of seven and two shots, and of three photos alone."""
    table = photos(*((name, at / 10, "", 0.1 * at) for at, name in enumerate(NAMES)))
    labels = np.array([0] * 7 + [1] * 2 + [-1] * 3)
    shots = [face(name, eyeBlinkLeft=0.01 * at) for at, name in enumerate(NAMES)]
    faces = counted(pd.DataFrame(shots))
    ranks = ranked(table, faces, labels)
    worse = ranks["photo"][ranks["rank"] > 1]
    found = {
        "bursts": ranks,
        "headshots": head_shots(faces, worse, 3),
        "album": summaries(table, faces, np.eye(len(NAMES)), worse, 3),
    }
    for name, each in found.items():
        each.to_csv(tmp_path / f"{name}.csv", index=False)
    grey = [jpeg(np.full((48, 64, 3), 20 * at, np.uint8)) for at in range(len(NAMES))]
    pictures = pd.DataFrame({"photo": NAMES, "face": 0, "jpeg": grey})
    pictures.to_parquet(tmp_path / "thumbnails.parquet", schema=THUMBNAILS)
    pictures[["photo", "jpeg"]].to_parquet(tmp_path / "previews.parquet", schema=PREVIEWS)
    return tmp_path


def made(folder, link="file:///my%20photos/"):
    tables = tuple(folder / f"{name}.csv" for name in ("bursts", "headshots", "album"))
    previews, thumbnails = ([folder / f"{name}.parquet"] for name in ("previews", "thumbnails"))
    text = album_page(tables, previews, thumbnails, folder / "album", link)
    (folder / "album.html").write_text(text, encoding="utf-8")
    return text


def test_hostile_names_stay_text_and_links_lead_to_the_photos(folder):
    text = made(folder)
    assert HOSTILE not in text and text.count("<script") == 2
    links = {unquote(link) for link in re.findall(r'href="(file://[^"]*)"', text)}
    # Where bytes of a name are not known, no link leads to another file.
    assert links == {f"file:///my photos/{name}" for name in (*NAMES[:6], *NAMES[7:11])}
    assert "file:" not in made(folder, "")
    assert all(name in text for name in ("the folder itself", "top\\xff.jpg", "1 #?%.jpg"))


def test_what_is_not_shown_is_told(folder, monkeypatch):
    text = made(folder)
    assert "7 photos, by time and likeness, the best first; 1 more in <code>bursts.csv" in text
    assert "2 photos, by time and likeness, the best first</p>" in text
    assert "more series" not in text
    monkeypatch.setattr(album, "SERIES", 1)
    assert "1 more series in <code>bursts.csv" in made(folder)


def test_tables_of_another_run_are_named(folder):
    table = pd.read_parquet(folder / "previews.parquet")
    table[1:].to_parquet(folder / "previews.parquet", schema=PREVIEWS)
    with pytest.raises(InputError, match="has no picture; delete"):
        made(folder)
    (folder / "album.csv").write_bytes(b"\xff\xfe\0")
    with pytest.raises(InputError, match=r"album\.csv"):
        made(folder)


def test_the_page_shows_the_pictures_offline_and_fits_a_phone(browser, folder):
    made(folder)
    browser.set_window_size(390, 900)
    browser.get((folder / "album.html").as_uri())
    wait = """
        const done = arguments[0];
        const look = () => {
          const all = [...document.images];
          if (all.every((image) => image.naturalWidth)) done(all.length);
          else { scrollBy(0, 300); setTimeout(look, 50); }
        };
        look();
    """
    browser.set_script_timeout(20)
    assert browser.execute_async_script(wait) >= 12
    assert browser.title == "Best shots"
    width = browser.execute_script("return document.documentElement.scrollWidth")
    assert width <= browser.execute_script("return innerWidth")
    lacking = "return [...document.querySelectorAll('img')].filter((i) => !i.alt).length"
    assert browser.execute_script(lacking) == 0
