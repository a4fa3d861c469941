"""The page to browse: its shards hold just what the tables say, and a person's way through it."""

import base64
import json
import os
import re
import shutil
import sys
from html import unescape
from urllib.parse import quote

import numpy as np
import pandas as pd
import pytest
from small_run import ROOT

from facesort.archive import browse, tables
from facesort.archive.browse import STATES, TAGS
from facesort.archive.review import COLUMNS, read_answers
from facesort.archive.tables import UNSURE
from facesort.common.emotions import EMOTIONS
from facesort.common.job import InputError
from facesort.faces import facs
from facesort.faces.spread import MOST, standardised
from facesort.fetch.folder import as_text

sys.path.insert(0, str(ROOT / "tests/benchmarks"))
from browse_100000_faces import PER_PHOTO, THRESHOLD, layouts, make_page, make_tables

TAKE = "document.title='taken'"
HOSTILE = f'</script><script>{TAKE}</script><img src=x onerror="{TAKE}">\'&.jpg'
NAMES = [
    HOSTILE,
    'a\nb/"q", ünï\r\n.jpg',
    "=1+1,2.jpg",
    "\u202egpj.exe.jpg",
    "שלום/\u2028.jpg",
    " ",
]
PHOTOS = 240
FACES = PHOTOS * PER_PHOTO


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Tables of 240 photos, of which some have the worst of names, and their page."""
    found = tmp_path_factory.mktemp("archive")
    names = NAMES + [f"box {i % 7}/scan {i:03d}.jpg" for i in range(PHOTOS - len(NAMES))]
    make_tables(found, FACES, layouts(3), names)
    make_page(found, "file:///photos/")
    return found


@pytest.fixture(scope="module")
def faces(folder):
    return pd.read_parquet(folder / "faces.parquet")


def test_the_page_has_words_for_all_tags_and_states():
    assert tuple(TAGS) == (*tables.APPARENT, *tables.LOOKS)
    assert tuple(tag.words for tag in TAGS.values()) == tables.TAGS
    assert tuple(STATES) == tables.STATES


def shard(folder, name):
    """The text that a shard hands to the page. It is one line of one call with two strings."""
    line = (folder / f"browse/{name}.js").read_text(encoding="ascii")
    match = re.fullmatch(r'shard\(("(?:[^"\\]|\\.)*"),("(?:[^"\\]|\\.)*")\)\n', line)
    assert json.loads(match[1]) == name
    return json.loads(match[2])


def column(folder, name, dtype):
    return np.frombuffer(base64.b64decode(shard(folder, f"columns/{name}")), f"<{dtype}")


def rows(folder, faces):
    """The table's rows in the page's order."""
    names = np.array(json.loads(shard(folder, "names")), object)
    keys = pd.DataFrame(
        {
            "photo": names[column(folder, "photo", "u4")],
            "face": column(folder, "face", "u4").astype("i4"),
        }
    )
    return keys.merge(faces, on=["photo", "face"], validate="one_to_one")


def test_columns_hold_what_the_table_says(folder, faces):
    table = rows(folder, faces)
    assert len(table) == len(faces) == FACES
    states = np.array(tables.STATES)
    assert (states[column(folder, "state", "u1")] == table["state"]).all()
    words = [tag.words for tag in TAGS.values()]
    bits = column(folder, "tags", "u2")
    told = [";".join(w for bit, w in enumerate(words) if each >> bit & 1) for each in bits]
    assert told == list(table["tags"])
    looks = np.array([*words[-len(EMOTIONS) :], UNSURE, *[""] * 247])
    assert (looks[column(folder, "look", "u1")] == table["look"]).all()
    for name in TAGS:
        certainty = column(folder, name, "u2")
        assert ((certainty == 65535) == table[name].isna()).all()
        answered = certainty < 65535
        assert certainty[answered] / 65534 == pytest.approx(table[name][answered], abs=1e-5)
    for name in ("left", "size", "yaw", "sharpness"):
        assert (column(folder, name, "f4") == table[name]).all()
    order = np.argsort(column(folder, "place", "u4"))
    sorted_by_photo = faces.sort_values(["photo", "face"], ignore_index=True)
    assert table.iloc[order]["photo"].tolist() == sorted_by_photo["photo"].tolist()
    assert table.iloc[order]["face"].tolist() == sorted_by_photo["face"].tolist()


def test_movements_are_those_found_well_against_their_spread(folder, faces):
    table = rows(folder, faces)
    found = column(folder, "movements", "u1").reshape(FACES, -1)
    reliable = facs.reliable()
    names = facs.columns(reliable[reliable["unit"] < facs.HEAD])
    every = [*names, "headYaw", "headPitch", "headRoll"]
    answered = (table["state"] == "answered").to_numpy()
    expected = standardised(table[every], answered.astype(float))[:, : len(names)]
    assert found.shape == expected.shape
    told = found[answered] * (2 * MOST / 255) - MOST
    assert told == pytest.approx(expected[answered], abs=0.02)
    data = data_of((folder / "browse.html").read_text(encoding="utf-8"))
    shown = [names[at] for movement in data["movements"] for at in movement["columns"]]
    assert shown == names


def test_a_sample_tells_what_is_usual_in_a_large_archive(folder, copied, monkeypatch):
    """Rows are read in parts, and end where they belong."""
    monkeypatch.setattr(browse, "SAMPLE", 400)
    monkeypatch.setattr(browse, "BLOCK", 99)
    make_page(copied)
    whole, sampled = (
        column(each, "movements", "u1").reshape(FACES, -1).astype(int) for each in (folder, copied)
    )
    apart = abs(whole - sampled)[column(folder, "state", "u1") == 0]
    assert 0 < apart.mean() < 0.2 * 255 / (2 * MOST)


def test_every_face_and_photo_has_its_own_picture(folder, faces):
    table = rows(folder, faces)
    names = json.loads(shard(folder, "names"))
    for kind, each, keys, files in (
        ("faces", 50, list(zip(table["photo"], table["face"], strict=True)), "thumbnails"),
        ("photos", 12, [(name,) for name in names], "previews"),
    ):
        given = pd.concat(pd.read_parquet(path) for path in (folder / files).glob("*.parquet"))
        pictures = given.set_index(list(given.columns[:-1]))["jpeg"]
        shards = -(-len(keys) // each)
        assert len(list((folder / "browse" / kind).iterdir())) == shards
        lines = [line for at in range(shards) for line in shard(folder, f"{kind}/{at}").split("\n")]
        assert [base64.b64decode(line) for line in lines] == [
            pictures.loc[key if len(key) > 1 else key[0]] for key in keys
        ]


def data_of(text):
    return json.loads(re.search(r'id="data">(.*?)</script>', text, re.S)[1])


def test_the_page_opens_with_the_counts_and_they_add_up(folder, faces):
    text = (folder / "browse.html").read_text(encoding="utf-8")
    told = " ".join(unescape(re.sub(r"<[^>]+>", " ", text.partition("<nav")[0])).split())
    counts = faces["state"].value_counts()
    assert f"{FACES:,} faces in {PHOTOS} of {PHOTOS} photos" in told
    assert f"{counts['answered']:,} could be read" in told
    looks = faces["look"].ne("") & faces["look"].ne(UNSURE)
    unsure = (faces["look"] == UNSURE).sum()
    assert f"{looks.sum()} have a look, such as looks happy , and for {unsure} none is" in told
    assert looks.sum() + unsure == counts["answered"]
    for state, words in (("small", "too small"), ("covered", "covered")):
        assert f"{counts[state]} {words}" in told
    for name, tag in TAGS.items():
        given = (faces[name] > THRESHOLD).sum()
        assert f"{tag.words} {tag.meaning} {given} {100 * THRESHOLD:.0f}%" in told
    proposed = json.loads(shard(folder, "proposals"))
    assert list(proposed) == list(TAGS)
    for each in proposed.values():
        assert sum(stratum["stratum_faces"] for stratum in each["strata"]) == counts["answered"]


def test_photos_that_show_no_face_are_counted(copied):
    def without(table):
        rest = table[table["photo"] != "box 1/scan 001.jpg"].reset_index(drop=True)
        hidden = rest["photo"].isin(["box 2/scan 002.jpg", "box 3/scan 003.jpg"])
        return rest.assign(state=rest["state"].mask(hidden, "small"))

    changed(copied / "faces.parquet", without)
    for path in (copied / "thumbnails").iterdir():
        changed(path, lambda table: table[table["photo"] != "box 1/scan 001.jpg"])
    text = make_page(copied, refused=7).read_text(encoding="utf-8")
    told = " ".join(unescape(re.sub(r"<[^>]+>", " ", text.partition("<nav")[0])).split())
    assert "In 1 of the photos no face was found. In 2 no face could be read." in told
    assert "Refused files: 7. refused.csv says why." in told


@pytest.fixture
def copied(folder, tmp_path):
    return shutil.copytree(folder, tmp_path / "archive")


def changed(path, change):
    change(pd.read_parquet(path)).to_parquet(path, index=False)


def test_what_persons_rejected_stays_among_those_that_chance_drew_from(folder, copied):
    """Else only right ones would be left, and the tag look better than it is."""
    before = shard(folder, "proposals")
    changed(copied / "faces.parquet", lambda table: table.assign(tags=""))
    make_page(copied)
    assert shard(copied, "proposals") == before


def test_hostile_names_are_in_no_page_and_end_no_string(folder):
    text = (folder / "browse.html").read_text(encoding="utf-8")
    assert "taken" not in text and text.count("<script") == 2 and "default-src 'none'" in text
    assert re.search(r"script-src 'sha256-[\w+/=]+' 'strict-dynamic'", text)
    assert set(NAMES) < set(json.loads(shard(folder, "names")))


@pytest.mark.parametrize(
    ("file", "change", "told"),
    [
        ("thumbnails/003.parquet", lambda t: t.assign(photo="else.jpg"), "faces.parquet: another"),
        ("thumbnails/003.parquet", lambda t: pd.concat([t, t[:1]]), "faces.parquet: another"),
        ("previews/003.parquet", lambda t: t.assign(photo="else.jpg"), "photos.parquet: another"),
        ("photos.parquet", lambda t: t.assign(photo=t["photo"] + "x"), "photos.parquet: another"),
        ("faces.parquet", lambda t: t.assign(state="odd"), "state 'odd' is none of answered"),
    ],
)
def test_tables_of_two_runs_are_refused_in_one_line(copied, file, change, told):
    changed(copied / file, change)
    with pytest.raises(InputError, match=told) as error:
        make_page(copied)
    assert "\n" not in str(error.value)


def test_a_photo_that_is_missing_is_named(copied):
    for name in ("photos.parquet", *(f"previews/{at:03d}.parquet" for at in range(16))):
        changed(copied / name, lambda table: table[table["photo"] != "=1+1,2.jpg"])
    with pytest.raises(InputError, match=r"lacks '=1\+1,2.jpg'"):
        make_page(copied)


def test_faces_without_a_picture_come_last_and_are_counted(copied, faces):
    lost = len(pd.read_parquet(copied / "thumbnails/003.parquet"))
    changed(copied / "thumbnails/003.parquet", lambda table: table[:0])
    data = data_of(make_page(copied).read_text(encoding="utf-8"))
    assert data["faces"] == FACES and data["pictured"]["faces"] == FACES - lost
    assert set(rows(copied, faces)["photo"][-lost:]).isdisjoint(
        pd.read_parquet(copied / "thumbnails/002.parquet")["photo"]
    )


def test_without_emotions_there_is_no_look(copied):
    def without(table):
        words = [TAGS[name].words for name in EMOTIONS]
        tags = [";".join(t for t in each.split(";") if t not in words) for each in table["tags"]]
        return table.assign(tags=tags, look="", **dict.fromkeys(EMOTIONS, np.float32("nan")))

    changed(copied / "faces.parquet", without)
    text = make_page(copied).read_text(encoding="utf-8")
    # The foot's words on limits say "looks" as a verb.
    own = re.sub(r"<script.*|<footer.*", "", text, flags=re.S)
    assert "looks" not in own.replace("Looks and tags", "")
    assert "not sure" not in text.partition("<script")[0]
    assert (column(copied, "look", "u1") == 255).all()


def test_no_face_at_all(copied):
    changed(copied / "faces.parquet", lambda table: table[:0])
    for name in (copied / "thumbnails").iterdir():
        changed(name, lambda table: table[:0])
    text = make_page(copied).read_text(encoding="utf-8")
    assert data_of(text)["faces"] == 0 and "<strong>0 faces</strong> in 0 of 240 photos" in text


# A person's way.

WAIT = """
const done = arguments[0];
const end = performance.now() + 20000;
const look = () => {
  let found = "";
  try { found = TEST; } catch (error) { found = ""; }
  if (found || performance.now() > end) done(Boolean(found)); else setTimeout(look, 30);
};
look();
"""


@pytest.fixture
def page(browser, folder):
    browser.set_script_timeout(30)
    browser.get((folder / "browse.html").as_uri())
    assert browser.execute_async_script(WAIT.replace("TEST", "cells.size > 0"))
    return browser


def until(page, test):
    assert page.execute_async_script(WAIT.replace("TEST", test)), test
    return page


def found(page, folder, faces):
    """The rows of the table that the page has found, in its order."""
    return rows(folder, faces).iloc[page.execute_script("return [...results]")]


def by_id(page, name):
    return page.find_element("id", name)


def wilson(share, looks, z=1.96):
    """Wilson's interval as the roots of (share - p)^2 = z^2 p (1 - p) / looks."""
    squared = z**2 / looks
    return np.sort(np.roots([1 + squared, -(2 * share + squared), share**2]))


def slide(page, element, value):
    page.execute_script(
        "arguments[0].value = arguments[1]; arguments[0].dispatchEvent(new Event('input'))",
        element,
        value,
    )


def test_faces_are_found_by_look_certainty_movement_size_and_pose(page, folder, faces):
    from selenium.webdriver.common.keys import Keys

    answered = faces[faces["state"] == "answered"]
    assert by_id(page, "count").text == f"{len(answered)} of {FACES:,} faces"
    button = page.find_element("css selector", "[data-tag=happy]")
    button.send_keys(Keys.ENTER)
    happy = (faces["happy"] > THRESHOLD).sum()
    until(page, f"results.length === {happy}")
    assert button.get_attribute("aria-pressed") == "true"
    assert button.text == f"looks happy {happy}"
    certain = found(page, folder, faces)["happy"].to_numpy()
    assert (np.diff(certain) <= 1e-4).all()
    slider = by_id(page, "slider-happy")
    slide(page, slider, 30)
    until(page, f"results.length === {(faces['happy'] >= 0.3).sum()}")
    assert slider.get_attribute("aria-valuetext") == "at least 30% certain"
    page.execute_script("toggle('movement', 'jawOpen')")
    until(page, f"results.length < {(faces['happy'] >= 0.3).sum()}")
    # A tenth of all answered faces move so much, ties aside.
    least = answered["jawOpen"].quantile(0.9)
    assert (found(page, folder, faces)["jawOpen"] > least - 0.2).all()
    slide(page, by_id(page, "slider-jawOpen"), 100)
    until(page, f"results.length === {(faces['happy'] >= 0.3).sum()}")
    by_id(page, "clear").send_keys(Keys.ENTER)
    until(page, f"results.length === {len(answered)}")
    slide(page, by_id(page, "size"), 30)
    size = page.execute_script("return leastSize()")
    until(page, f"results.length === {(answered['size'] >= size).sum()}")
    slide(page, by_id(page, "size"), 0)
    slide(page, by_id(page, "pose"), "left")
    until(page, f"results.length === {(answered['yaw'] <= -15).sum()}")
    slide(page, by_id(page, "pose"), "")
    slide(page, by_id(page, "state"), "all")
    by_id(page, "name").send_keys("</SCRIPT>")
    until(page, f"results.length === {PER_PHOTO}")
    assert page.title != "taken"
    by_id(page, "name").send_keys("nowhere")
    until(page, "results.length === 0")
    assert "No face fits" in by_id(page, "count").text


def test_faces_of_group_photos_are_found_and_saved_as_a_list(page, saved, tmp_path, folder, faces):
    from selenium.webdriver.common.keys import Keys

    for value, count in (("10", 0), ("1", 0), (str(PER_PHOTO), len(faces))):
        slide(page, by_id(page, "together"), value)
        page.execute_script("byId('state').value = 'all'; search()")
        until(page, f"results.length === {count}")
        assert by_id(page, "list").is_displayed() == (count > 0)
    page.execute_script("byId('state').value = 'answered'; toggle('tag', 'smiling')")
    until(page, f"results.length === {(faces['smiling'] > THRESHOLD).sum()}")
    by_id(page, "list").send_keys(Keys.ENTER)
    listed = pd.read_csv(saved(tmp_path / "faces.csv"), keep_default_na=False)
    own = found(page, folder, faces)
    for name in ("photo", "face", "tags"):
        assert listed[name].tolist() == own[name].tolist()
    for name in ("left", "top", "width", "height"):
        assert listed[name].tolist() == pytest.approx(own[name].tolist(), abs=0.051)
    assert listed["certainty: smiling"].tolist() == pytest.approx(own["smiling"].tolist(), abs=1e-4)
    assert set(NAMES) & set(listed["photo"])


def test_what_is_never_given_says_how_many_looks_are_wanted(page, copied, faces):
    """A threshold that no face reaches is not the same as none."""
    changed(copied / "faces.parquet", lambda table: table.assign(tags="smiling", look=""))
    words = [tag.words for tag in TAGS.values()]
    thresholds = pd.Series(THRESHOLD, words)
    thresholds[["frowning", "looks sad"]] = np.nan
    thresholds["mouth open"] = 1.0
    share = pd.DataFrame({"looks": 18.0, "share": 0.82, "low": 0.54, "high": 0.95}, ["smiling"])
    make_page(copied, thresholds=thresholds, shares=share)
    page.get((copied / "browse.html").as_uri())
    until(page, "cells.size")
    cells = page.execute_script(
        "return [...document.querySelectorAll('tbody [data-share]')].map((cell) =>"
        "[cell.dataset.share, cell.previousElementSibling.textContent.trim()])"
    )
    told = dict(cells)
    chips = page.find_elements("css selector", "[data-tag]")
    assert [each.get_attribute("data-tag") for each in chips[-2:]] == ["frowning", "sad"]
    for each in chips:
        never = each in chips[-2:]
        assert (each.get_attribute("title") or "").startswith("never given: ") == never
        assert ("never" in each.get_attribute("class").split()) == never
    assert "right in 95 of 100" in by_id(page, "find").text
    assert told["frowning"] == told["sad"] == "never given" and told["mouth_open"] == "100%"
    page.execute_script("toggle('tag', 'smiling')")
    label = "document.querySelector('#conditions label').textContent"
    until(
        page, f"{label} === 'tagged: {100 * THRESHOLD:.0f}% certain and more, and as you answered'"
    )
    page.execute_script("startJudging('smiling')")
    until(page, "byId('estimate').textContent.includes('in 82 of 100 faces')")
    assert "between 54 and 95, by 18 looks" in by_id(page, "estimate").text
    page.execute_script("startJudging('mouth_open')")
    until(page, "byId('estimate').textContent.includes('No face is 100% certain')")
    page.execute_script("startJudging('sad')")
    until(page, "byId('estimate').textContent.includes('Look at 20 more faces that may have it')")
    offered = json.loads(shard(copied, "proposals"))["sad"]["row"]
    table = rows(copied, pd.read_parquet(copied / "faces.parquet")).iloc[offered]
    likeliest = table[list(EMOTIONS)].idxmax(axis=1) == "sad"
    page.execute_script(f"for (const row of {offered[:9]}) judge(row, 'sad', 'right', 'sample')")
    more = 20 - likeliest[:9].sum()
    assert more < 20
    until(page, f"byId('estimate').textContent.includes('Look at {more} more face')")
    page.execute_script(f"for (const row of {offered}) judge(row, 'sad', 'wrong', 'sample')")
    until(page, "byId('estimate').textContent.includes('start the run again')")
    page.execute_script("for (const [key, each] of records) used.set(key, each); tellJudged()")
    until(page, "byId('estimate').textContent.includes('right often enough nowhere')")


def test_the_photo_that_is_opened_is_the_real_file(page):
    for name in (
        b"two\nlines.jpg",
        b"a/b\\n#?%.jpg",
        "ü\u00a0\u202e\U000e0001.jpg".encode(),
        b"\xe4/\xff \x01.jpg",
    ):
        found = page.execute_script("return addressed(arguments[0])", as_text(os.fsdecode(name)))
        assert found == quote(name, safe="/!'()*~")


def test_more_like_this_face_are_those_of_nearest_movements(page, folder):
    movements = column(folder, "movements", "u1").reshape(FACES, -1).astype(float)
    answered = np.flatnonzero(column(folder, "state", "u1") == 0)
    far = ((movements - movements[answered[5]]) ** 2).sum(1)
    page.execute_script(f"moreLike({answered[5]})")
    until(page, "like >= 0 && results[0] === like")
    near = page.execute_script("return [...results]")
    assert near[0] == answered[5] and len(near) == len(answered)
    assert (np.diff(far[near]) >= 0).all()
    until(page, "!byId('likeness').hidden")
    assert by_id(page, "likeness").text.startswith("Most like face ")
    page.execute_script("unlike()")
    until(page, "results[0] === byPlace.find((i) => columns.state[i] === 0)")


def test_a_face_stands_beside_its_photo_with_its_box(page, folder, faces):
    from selenium.webdriver.common.keys import Keys

    page.execute_script("byId('state').value = 'all'; search()")
    until(page, f"results.length === {FACES}")
    grid = by_id(page, "grid")
    grid.send_keys(Keys.ARROW_RIGHT, Keys.ARROW_RIGHT, Keys.ENTER)
    until(page, "byId('preview').naturalWidth && document.querySelector('#boxes [aria-current]')")
    own = found(page, folder, faces).iloc[1]
    until(page, "document.activeElement.id === 'face'")
    assert by_id(page, "face-name").text.endswith(f"face {own['face'] + 1}")
    box = page.execute_script(
        "const a = document.querySelector('#boxes [aria-current]').getBoundingClientRect();"
        "const b = byId('preview').getBoundingClientRect();"
        "return [(a.left - b.left) / b.width, (a.top - b.top) / b.height, a.width / b.width]"
    )
    expected = [own["left"] / 1280, own["top"] / 960, own["width"] / 1280]
    assert box == pytest.approx(expected, abs=0.01)
    assert len(page.find_elements("css selector", "#boxes button")) == PER_PHOTO
    by_id(page, "face").send_keys("]")
    until(page, "columns.face[chosen] === 2")
    by_id(page, "face").send_keys(Keys.ESCAPE)
    assert page.switch_to.active_element == grid
    # The worst of names is shown as text, and linked to.
    row = rows(folder, faces).query("photo == @HOSTILE").index[0]
    page.execute_script(f"other({row})")
    until(page, f"byId('face-name').textContent.startsWith({json.dumps(HOSTILE)})")
    assert by_id(page, "open").get_attribute("href").startswith("file:///photos/%3C/script%3E")
    row = rows(folder, faces).query("photo == @NAMES[1]").index[0]
    page.execute_script(f"other({row})")
    until(page, "byId('face-name').textContent.startsWith('a\u240ab/')")
    assert page.title != "taken"


def test_answers_by_keyboard_survive_a_reload_are_saved_and_read_back(
    page, saved, tmp_path, folder, faces
):
    from selenium.webdriver.common.keys import Keys

    table = rows(folder, faces)
    until(page, "results.length")
    page.execute_script("toggle('tag', 'smiling')")
    until(page, f"results.length === {(faces['smiling'] > THRESHOLD).sum()}")
    grid = by_id(page, "grid")
    grid.send_keys(Keys.ARROW_RIGHT)
    for key in "ynsy":
        count = page.execute_script("return records.size")
        until(page, "chosen >= 0 && !byId('question').hidden && byId('ask').textContent")
        page.switch_to.active_element.send_keys(key)
        until(page, f"records.size === {count + 1}")
    page.switch_to.active_element.send_keys("z")
    until(page, "records.size === 3")
    # Answers to faces of the worst names.
    for name, verdict in zip(NAMES, ["right", "wrong", "skipped"] * 2, strict=True):
        row = table[(table["photo"] == name) & (table["face"] == 1)].index[0]
        page.execute_script(f"judge({row}, 'sad', '{verdict}', 'hand')")
    until(page, "records.size === 9")
    shown = page.execute_script("return [...results].slice(0, 4)")
    page.refresh()
    until(page, "latest && records.size === 9")
    assert by_id(page, "judged").text == "9 answers, kept in this browser"
    by_id(page, "save").send_keys(Keys.ENTER)
    path = saved(tmp_path / "reviewed.csv")
    reviewed = pd.read_csv(path, keep_default_na=False)
    assert reviewed["verdict"].tolist() == ["right", "wrong", "skipped"] * 3
    assert reviewed["tag"].tolist() == ["smiling"] * 3 + ["looks sad"] * 6
    assert reviewed["photo"].tolist() == [*table["photo"].iloc[shown[:3]], *NAMES]
    own = reviewed.merge(table, on=["photo", "face"], suffixes=("", "_true"))
    assert len(own) == 9 and own["left"].tolist() == pytest.approx(own["left_true"].tolist())
    assert set(reviewed["chosen"]) == {"hand"}
    # Forgotten, and read back: the same file again.
    page.execute_script("records.clear(); remember()")
    page.refresh()
    until(page, "cells.size && records.size === 0")
    by_id(page, "file").send_keys(str(path))
    until(
        page,
        "latest && latest.size === 9 && byId('judged').textContent.startsWith('Loaded 9 answers')",
    )
    text = path.read_text(encoding="utf-8")
    path.unlink()
    by_id(page, "save").send_keys(Keys.ENTER)
    assert saved(path).read_text(encoding="utf-8") == text
    # A file that is none changes nothing and says so.
    (tmp_path / "bad.csv").write_text("photo,face,tag,verdict\na,1,smiling,perhaps\n")
    by_id(page, "file").send_keys(str(tmp_path / "bad.csv"))
    until(page, "byId('trouble').textContent.includes('row 1: verdict \"perhaps\"')")
    assert page.execute_script("return records.size") == 9 and by_id(page, "trouble").is_displayed()
    by_id(page, "grid").send_keys(Keys.ARROW_RIGHT)
    assert not by_id(page, "trouble").is_displayed()


def answers(table, tag, count, **more):
    """The first faces that a page offers for a tag, as the answers of an earlier run."""
    own = table.iloc[:count]
    told = own[["photo", "face", "left", "top", "width", "height"]].assign(tag=tag, **more)
    return told.reindex(columns=list(COLUMNS), fill_value="").reset_index(drop=True)


def test_the_page_starts_with_the_answers_of_its_run_and_saves_all(
    browser, saved, tmp_path, copied, faces
):
    from selenium.webdriver.common.keys import Keys

    offered = json.loads(shard(copied, "proposals"))["smiling"]
    table = rows(copied, faces).iloc[offered["row"]]
    first = answers(table, "smiling", 40, verdict="right", by="ada", at="2026-01", chosen="sample")
    first.loc[0, "verdict"] = "wrong"
    second = first[:1].assign(by="bob", at="2026-02", verdict="right")
    pd.concat([first, second]).to_csv(tmp_path / "reviewed.csv", index=False)
    make_page(copied, reviewed=read_answers(tmp_path / "reviewed.csv"))
    browser.set_script_timeout(30)
    browser.get((copied / "browse.html").as_uri())
    page = until(browser, "latest && latest.size === 40")
    assert by_id(page, "judged").text == "41 answers, used by the run"
    share = page.find_element("css selector", "[data-share=smiling]").get_attribute("textContent")
    assert "right in 100 of 100 faces that have it" in share
    # A later answer, which the browser keeps, counts more than the file's; nothing else is kept.
    page.execute_script(f"judge({offered['row'][1]}, 'smiling', 'wrong', 'hand')")
    page.execute_script(f"byId('by').value = 'ada'; judge({offered['row'][2]}, 'smiling', 'wrong')")
    until(page, "records.size === 42")
    kept = "JSON.parse(localStorage.getItem(KEPT)).records.length"
    assert page.execute_script(f"return {kept}") == 2
    page.refresh()
    until(page, "latest && records.size === 42")
    told = by_id(page, "judged").text
    assert told == "2 new answers, kept in this browser; 40 answers, used by the run"
    verdicts = f"return {offered['row'][:4]}.map((row) => verdictOf(row, 'smiling'))"
    assert page.execute_script(verdicts) == ["right", "wrong", "wrong", "right"]
    (tmp_path / "reviewed.csv").unlink()
    by_id(page, "save").send_keys(Keys.ENTER)
    again = read_answers(saved(tmp_path / "reviewed.csv"))
    assert len(again) == 42 and set(again["by"]) == {"ada", "bob", ""}
    # Forgotten is what is new.
    page.execute_script("window.confirm = () => true; byId('forget').click()")
    until(page, "records.size === 41")
    # Of a sample with a gap what comes before it counts.
    page.execute_script(f"records.delete(latest.get('{offered['row'][6]} smiling')); match()")
    until(page, f"!verdictOf({offered['row'][6]}, 'smiling')")
    stratum = offered["stratum"][6]
    before = offered["stratum"][:6].count(stratum)
    other = sum(
        offered["strata"][each]["given"] and each != stratum for each in offered["stratum"][:40]
    )
    looks = page.execute_script("return estimate('smiling').looks")
    assert looks == other + (before if offered["strata"][stratum]["given"] else 0)


def test_answers_follow_their_boxes_where_faces_have_new_numbers(page, tmp_path, folder, faces):
    own = rows(folder, faces).query("photo == 'box 1/scan 001.jpg' and face == 2").iloc[0]
    columns = "photo,face,left,top,width,height,tag,verdict,by,at\n"
    box = f"{own['left'] + 3},{own['top'] - 2},{own['width']},{own['height']}"
    lines = f"{own['photo']},3,{box},looks sad,wrong,anna,2026\n"
    lines += "gone.jpg,0,1,2,3,4,looks sad,right,anna,2026\n"
    lines += f"{own['photo']},1,,,,,smiling,right,,2026\n"
    (tmp_path / "old.csv").write_text(columns + lines)
    by_id(page, "file").send_keys(str(tmp_path / "old.csv"))
    until(page, "latest && latest.size === 2")
    verdicts = page.execute_script(
        f"return [verdictOf({own.name}, 'sad'), records.size, byId('judged').textContent]"
    )
    assert verdicts[:2] == ["wrong", 3] and "1 of other faces or older are kept too" in verdicts[2]
    numbered = rows(folder, faces).query("photo == 'box 1/scan 001.jpg' and face == 1").index[0]
    assert page.execute_script(f"return verdictOf({numbered}, 'smiling')") == "right"


def test_judging_by_chance_hides_certainties_and_tells_the_share(page, saved, tmp_path, folder):
    from selenium.webdriver.common.keys import Keys
    from selenium.webdriver.support.select import Select

    Select(by_id(page, "review")).select_by_visible_text("smiling")
    offered = json.loads(shard(folder, "proposals"))["smiling"]
    until(page, f"judging && results.length === {len(offered['row'])} && chosen === results[0]")
    assert not by_id(page, "certainties").is_displayed()
    assert not any(char.isdigit() for char in by_id(page, "cell-0").text)
    assert "A few more" in by_id(page, "estimate").text
    for number in range(36):
        until(page, f"chosen === {offered['row'][number]} && !byId('question').hidden")
        page.switch_to.active_element.send_keys("n" if number % 6 == 5 else "y")
        until(page, f"records.size === {number + 1}")
    by_id(page, "save").send_keys(Keys.ENTER)
    reviewed = pd.read_csv(saved(tmp_path / "reviewed.csv"))
    assert set(reviewed["chosen"]) == {"sample"}
    with_tag = reviewed[reviewed["stratum"].str.startswith("with ")]
    by = with_tag.assign(right=with_tag["verdict"] == "right").groupby("stratum")
    for _, part in by:
        assert sorted(part["stratum_place"]) == list(range(len(part)))
    tally = by.agg(right=("right", "mean"), n=("right", "size"), faces=("stratum_faces", "first"))
    share = np.average(tally["right"], weights=tally["faces"])
    told = by_id(page, "estimate").text
    assert f"36 of {len(offered['row'])} looked at" in told
    assert f"right in {100 * share:.0f} of 100 faces that have it: between" in told
    assert f"by {len(with_tag)} looks" in told
    looks = tally["faces"].sum() ** 2 / (tally["faces"] ** 2 / tally["n"]).sum()
    looks /= 1 - looks / tally["faces"].sum()
    bounds = wilson(share, looks)
    low, high = map(int, re.search(r"between (\d+) and (\d+)", told).groups())
    assert [low, high] == pytest.approx(100 * bounds, abs=0.51) and low < 100 * share < high
    by_id(page, "stop").send_keys(Keys.ENTER)
    until(page, "!judging && results.length > 400")


def test_on_a_phone_faces_are_there_once_the_form_is_closed(page):
    metrics = {"width": 390, "height": 700, "deviceScaleFactor": 1, "mobile": True}
    page.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    by_id(page, "filters").click()
    page.execute_script("toggle('tag', 'happy'); byId('name').value = 'box 1/scan 0'; search()")
    until(page, "results.length && results.length < 20")
    page.execute_script("byId('filters').click()")
    seen = "[...cells.values()].filter((cell) => cell.getBoundingClientRect().top < innerHeight)"
    until(page, f"!byId('find').offsetHeight && {seen}.length >= Math.min(4, results.length)")


@pytest.mark.parametrize("width", [390, 1400])
def test_the_page_fits_and_is_labelled(page, width):
    metrics = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 500}
    page.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    if width < 500:
        by_id(page, "filters").click()
    page.execute_script("toggle('movement', 'jawOpen')")
    page.execute_script("document.querySelector('details').open = true")
    until(page, "results.length")
    page.execute_script("choose(0)")
    until(page, "!byId('face').hidden && byId('preview').src")
    script = "return document.documentElement.scrollWidth <= document.documentElement.clientWidth"
    assert page.execute_script(script), f"wider than {width} pixels"
    tree = page.execute_cdp_cmd("Accessibility.getFullAXTree", {})["nodes"]
    roles = {node["role"]["value"] for node in tree if not node["ignored"]}
    assert {"main", "heading", "listbox", "option", "slider", "combobox", "complementary"} <= roles
    for node in tree:
        role = node.get("role", {}).get("value")
        if role in (
            "button",
            "image",
            "link",
            "slider",
            "combobox",
            "option",
            "textbox",
            "listbox",
        ):
            assert node["ignored"] or node["name"]["value"].strip(), node
    assert page.title != "taken"


def test_a_page_without_its_folder_says_so(browser, folder, tmp_path):
    shutil.copy(folder / "browse.html", tmp_path / "browse.html")
    browser.get((tmp_path / "browse.html").as_uri())
    until(browser, "!byId('trouble').hidden")
    assert "copy page and folder together" in by_id(browser, "trouble").text
    assert by_id(browser, "count").text == "There is nothing to show."
    assert f"{FACES:,} faces" in browser.find_element("tag name", "header").text
    # Chromium itself reports what could not be loaded.
    browser.get_log("browser")
