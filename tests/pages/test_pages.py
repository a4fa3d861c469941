"""Pages: hostile text stays text, and a person's way through them in a headless browser."""

import json
import re
from html import unescape
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest
from markupsafe import Markup

from facesort.cluster.anatomy import Anatomy
from facesort.cluster.chance import TITLE, WORDS
from facesort.cluster.kmeans import Clustering
from facesort.cluster.naming import read_person_names
from facesort.common.emotions import EMOTIONS
from facesort.common.limits import EVIDENCE_URL, LAW_URL
from facesort.faces import facs
from facesort.pages.colours import Colour, Group, cluster_groups, emotion_groups
from facesort.pages.costs import COLUMNS
from facesort.pages.map_page import map_page, strengths
from facesort.pages.naming_page import (
    distances_to_centroids,
    naming_page,
    place_in_words,
    strongest,
)
from facesort.pages.page import json_text, thumbnail_side, thumbnails
from facesort.pages.summary import below_the_table, frame, markdown, summary

TAKE = "document.title='taken'"
HOSTILE = f'</script><script>{TAKE}</script><img src=x onerror="{TAKE}">\'&'
CELL = {"variant": "rgb", "model": "stacked", "seed": "0"}


@pytest.fixture(scope="module")
def faces():
    return np.random.default_rng(0).integers(0, 256, (90, 20, 20, 3), dtype=np.uint8)


@pytest.fixture(scope="module")
def clustering():
    """Eight clusters of the 90 faces, the last of them empty."""
    pool = (np.arange(90) % 7).astype("i4")
    return Clustering(np.eye(8, 3, dtype="f4"), pool, np.zeros(9, "i4"), 1.0)


@pytest.fixture(scope="module")
def places():
    axes = ["tsne_x", "tsne_y", "umap_x", "umap_y"]
    table = pd.DataFrame(np.random.default_rng(0).normal(size=(90, 4)), columns=axes)
    nearest = {f"near_{k}": (np.arange(90) + k) % 90 for k in (1, 2, 3)}
    return table.assign(face=range(90), set=["pool"] * 60 + ["test"] * 30, **nearest)


@pytest.fixture(scope="module")
def anatomy(clustering):
    """Faces that move little; those of cluster 2 smile, and look to a side."""
    columns = facs.columns(facs.table())
    movements = np.random.default_rng(2).normal(0, 0.1, (90, len(columns))).astype("f4")
    shown = ("mouthSmile", "lipCornerUp", "lipCornerToCheek", "lowerLidRaise", "headYaw")
    at = [place for place, column in enumerate(columns) if column.startswith(shown)]
    movements[np.ix_(clustering.pool == 2, at)] += 1.9
    return Anatomy(movements, np.ones(90, bool))


@pytest.fixture(scope="module")
def made_naming(faces, clustering, places, anatomy):
    distances = np.random.default_rng(1).random(90).astype("f4")
    of = (faces, clustering, distances, places, anatomy)
    return lambda at_chance: naming_page(*of, cell=CELL, at_chance=at_chance, per_cluster=8)


@pytest.fixture(scope="module")
def naming(made_naming):
    return made_naming(False)


@pytest.fixture(scope="module")
def made_map(faces, places):
    sets = {"pool": faces[:60], "test": np.concatenate([faces] * 2)}
    emotions = np.array(["", "sad", HOSTILE] * 30, object)
    red = Colour("#ff0000", "#ff0000")
    groups = [*emotion_groups(emotions), Group(HOSTILE, red, emotions == HOSTILE)]
    by_cluster = cluster_groups(np.arange(90) % 3, ["sad", "mixed", "sad"])
    return lambda at_chance: map_page(
        places,
        sets,
        {"cluster": by_cluster, "emotion": groups},
        pd.DataFrame({"smile": np.where(np.arange(90) < 60, np.linspace(-5, 5, 90), np.nan)}),
        title=HOSTILE,
        at_chance=at_chance,
        totals={"pool": 60, "test": 180},
    )


@pytest.fixture(scope="module")
def map_text(made_map):
    return made_map(False)


MATRICES = Markup("<p>the matrices</p>")


def summarised(causes, confusion=MATRICES, texts=None, finding=(HOSTILE,), **more):
    costs = pd.DataFrame(
        [[HOSTILE, "a", 1.0, 0.5, 0.1, float("nan")]],
        columns=list(COLUMNS),
    )
    ledger = pd.DataFrame(
        [["http://ok/", "fetched", None], [f"http://x/{HOSTILE}", "failed", HOSTILE]],
        columns=["url", "outcome", "error"],
    )
    cell = {"model": "stacked", "variant": "rgb", "seed": 0, "code": HOSTILE, "device": "cpu"}
    hostile = (
        f"{HOSTILE}\n\n### {HOSTILE}\n\n| a |\n| --- |\n| {HOSTILE} |\n\n[x](javascript:alert(1))"
    )
    return summary(
        finding=finding,
        chart=Markup("<p>the chart</p>"),
        strip=Markup(),
        table_1=Markup("<p>the table</p>"),
        texts=texts or {"table1": f"Best: x.\n\n| a |\n| --- |\n| 1 |\n\n- {hostile}"},
        figures=more.pop("figures", {}),
        confusion=confusion,
        agreement=pd.DataFrame(),
        costs=costs,
        ledger=ledger,
        refused=pd.DataFrame({"cause": causes}, dtype=object),
        faces=1234,
        cells=[{**cell, "versions": HOSTILE, "clustering": ""}],
        digests={HOSTILE: "0" * 16},
        config=HOSTILE,
        data="made-up faces",
        demo=False,
        **more,
    )


@pytest.fixture(scope="module")
def summary_text():
    return summarised([HOSTILE])


def test_causes_are_counted_without_their_details():
    text = summarised(["not an image: begins with a", "not an image: begins with b", "empty"])
    assert re.search(r"<td>not an image</td><td class=.number.>2</td>", text)
    assert "chosen faces were lost" not in summarised([])


def test_a_summary_without_scores_says_why_and_leads_to_the_clusters():
    text = summarised(
        ["empty"],
        Markup(),
        finding=[f"Nothing was scored: {HOSTILE}"],
        texts={"few_labels": ""},
        unscored=True,
        folder=True,
        pages=["rgb/stacked/seed0/naming.html"],
    )
    assert "Nothing was scored" in text and HOSTILE in unescape(text) and HOSTILE not in text
    assert 'id="confusion"' not in text and 'href="#confusion"' not in text
    assert "1 of 2 files gave no photo" in text and "Lost files" in text
    assert "The paper's figures" not in text
    assert 'href="rgb/stacked/seed0/naming.html"' in text
    scored = summarised(["empty"])
    assert 'id="confusion"' in scored and "1 of 2 URLs gave no photo" in scored


def test_the_contents_are_the_headings():
    text = summarised([], texts={"table1": "", "causes": "Most is lost.", "ensembles": "None."})
    contents = re.findall(r'<li><a href="#(\w+)">(.*?)</a></li>', text)
    headings = re.findall(r'<section id="(\w+)">\s*<h2>(.*?)</h2>', text)
    assert contents == headings and len(contents) == 9
    assert [name for name, _ in contents[:3]] == ["table1", "confusion", "causes"]


def test_tables_stand_below_the_finding_and_details_are_folded(summary_text):
    assert summary_text.index("the chart") < summary_text.index("the table")
    assert "Best: x." not in summary_text
    folded = str(markdown("Best: x.\n\n### Tests & all\n\n- one\n\n### More\n\nlast"))
    assert folded.startswith("<p>Best: x.</p>")
    assert "<details><summary>Tests &amp; all</summary><ul>" in folded
    assert folded.count("<details>") == 2
    assert below_the_table("Best.\n\n| a |\n|--|\n| 1 |\n\n- note | x\n") == "\n- note | x\n"


def test_figures_stand_before_their_text():
    texts = {"elsewhere": f"Best on web: x.\n\n### web\n\n| model |\n| --- |\n| {HOSTILE} |"}
    text = summarised([], texts=texts, figures={"elsewhere": b"\x89PNG"})
    assert '<a href="#elsewhere">On other sets</a>' in text and HOSTILE not in text
    section = re.search(r'<section id="elsewhere".*?</section>', text, re.S)[0]
    assert section.index("data:image/png;base64,") < section.index("Best on web")
    assert "other sets, with" not in summarised([], texts=texts)


def test_a_framed_page_stays_in_its_frame(summary_text):
    framed = frame(summary_text)
    (tag,) = re.findall(r"<[^>]+>", framed.replace("</iframe>", ""))
    assert tag.startswith('<iframe title="Summary" srcdoc="')
    assert unescape(framed).count(summary_text[-200:]) == 1


class Elements(HTMLParser):
    """Counts elements, and collects what could run or load something."""

    def __init__(self, text):
        super().__init__()
        self.found, self.suspect = [], []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.found.append(tag)
        for name, value in attributes:
            own = (value or "").startswith(("data:", "#")) or value in (LAW_URL, EVIDENCE_URL)
            if name.startswith("on") or (name in ("src", "href") and not own):
                self.suspect.append((tag, name, value))


@pytest.mark.parametrize(("page", "scripts"), [("naming", 2), ("map_text", 2), ("summary_text", 2)])
def test_hostile_text_stays_text(request, page, scripts):
    text = request.getfixturevalue(page)
    elements = Elements(text)
    assert elements.found.count("script") == scripts
    assert elements.suspect == []
    assert "default-src 'none'" in text and "http-equiv" in text
    if page != "naming":
        assert HOSTILE in unescape(text) or HOSTILE in json.loads(data_of(text))["colourings"]


def data_of(text):
    return re.search(r'<script type="application/json" id="data">(.*?)</script>', text, re.S)[1]


def test_json_cannot_end_its_element():
    text = str(json_text({HOSTILE: [HOSTILE, "\u2028", 1.5]}))
    assert "<" not in text and ">" not in text and "&" not in text and "\u2028" not in text
    assert json.loads(text) == {HOSTILE: [HOSTILE, "\u2028", 1.5]}


def test_markdown_refuses_html_and_code_links():
    html = str(markdown("a <b>b</b>\n\n[x](javascript:alert) <script>1</script>"))
    assert "<b>" not in html and "<script" not in html and "href" not in html


def test_the_naming_page_shows_each_clusters_own_faces_and_nobodys_names(
    naming, clustering, faces, tmp_path
):
    sections = re.split(r'<section class="card cluster"', naming)[1:]
    assert len(sections) == 8
    assert [section.count("<img ") for section in sections] == [12] * 6 + [12, 0]
    assert sections[0].count('alt="Typical face') == 4
    assert clustering.digest in naming and "automatic" not in naming
    assert len(set(re.findall(r'src="(data:image/jpeg[^"]*)"', naming))) == 84


def test_clusters_at_chance_are_told_in_title_and_words(made_naming, made_map):
    for make in (made_naming, made_map):
        for at_chance in (False, True):
            text = unescape(make(at_chance))
            titles = re.findall(r"<title>(.*?)</title>|<h1>(.*?)</h1>", text, re.S)
            assert len(titles) >= 2 and all(
                "".join(title).endswith(TITLE) is at_chance for title in titles
            )
            assert (WORDS in text) is at_chance


def test_the_naming_page_says_what_mixed_costs_before_it_is_chosen(naming):
    assert naming.count("<small>(counts as wrong)</small>") == 8
    assert re.search(r"mixed cluster get no answer,\s+and count as wrong", naming)


def test_the_naming_page_folds_away_movements_and_a_suggestion(naming):
    sections = re.split(r'<section class="card cluster"', naming)[1:]
    assert naming.count("<details") == 16 and "<details open" not in naming
    smiling = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", sections[2]))
    assert re.search(r"smile \+[12]\.\d|lip corners [a-z ]+ \+[12]\.\d", smiling)
    assert "head turned to the person's left +" in unescape(smiling)
    assert re.search(r"Suggest a name happy, by movements alone\. Best fits: happy \+\d", smiling)
    # The last cluster has no face.
    assert "No movement differs" in sections[7] and "<strong>mixed</strong>" in sections[7]
    # Nothing is chosen.
    assert "checked" not in re.sub(
        r"<style>.*?</style>|<script.*?</script>", "", naming, flags=re.S
    )


def test_the_strongest_movement_of_each_action_unit_is_told():
    differences = pd.Series(0.0, index=facs.reliable().index)
    differences[["mouthSmile", "lipCornerUp", "jawOpen", "browDown", "headYaw"]] = (
        1,
        1.4,
        -0.9,
        0.1,
        2,
    )
    assert strongest(differences) == [
        ("head turned to the person's left", 2),
        ("lip corners up", 1.4),
        ("jaw open", -0.9),
    ]


def test_typical_faces_are_the_nearest(clustering, tmp_path):
    embeddings = np.random.default_rng(0).normal(size=(90, 3)).astype("f4")
    np.save(tmp_path / "e.npy", embeddings)
    expected = np.linalg.norm(embeddings - clustering.centroids[clustering.pool], axis=1)
    assert np.allclose(distances_to_centroids(tmp_path / "e.npy", clustering), expected)


def test_strengths_are_of_the_faces_on_the_map(anatomy, places):
    seen = np.arange(90) != 7
    other = Anatomy(anatomy.movements[::-1], np.zeros(90, bool))
    found = strengths(places, {"pool": Anatomy(anatomy.movements, seen), "test": other})
    assert list(found.columns) == list(facs.reliable()["plain"]) and len(found) == 90
    # The first 60 are of the pool; of the test set none was seen.
    assert list(np.flatnonzero(found["smile"].notna())) == [*range(7), *range(8, 60)]
    columns = facs.columns(facs.table())
    sides = [columns.index(f"mouthSmile{side}") for side in facs.SIDES]
    assert found["smile"][2] == pytest.approx(anatomy.movements[2, sides].mean(), abs=1e-6)
    assert strengths(places, {}).shape == (90, 0)


def test_places_in_words():
    low, middle, high = np.array([10]), np.array([32000]), np.array([65000])
    assert place_in_words(low, high) == "the lower left"
    assert place_in_words(middle, middle) == "the middle"
    assert "empty" in place_in_words(low[:0], low[:0])


def test_thumbnails_are_the_faces_made_smaller():
    faces = np.repeat(np.arange(100, dtype=np.uint8), 8 * 8).reshape(100, 8, 8, 1)
    small = thumbnails(faces, np.array([3, 99, 5]), 4)
    assert small.shape == (3, 4, 4, 3)
    assert [set(face.ravel()) for face in small] == [{3}, {99}, {5}]
    assert thumbnail_side(200, 25_000) == 40 and thumbnail_side(48, 100) == 48


# A person's way.


def opened(browser, tmp_path, text):
    path = tmp_path / "page.html"
    path.write_text(text, encoding="utf-8")
    browser.get(path.as_uri())
    return browser


def test_naming_by_keyboard_survives_a_reload_and_is_read(
    browser, saved, tmp_path, naming, clustering
):
    from selenium.webdriver.common.by import By
    from selenium.webdriver.common.keys import Keys

    page = opened(browser, tmp_path, naming)
    find = page.find_element
    find(By.ID, "save").send_keys(Keys.ENTER)
    assert "no name yet for cluster 0, 1, 2, 3, 4, 5, 6, 7." in find(By.ID, "message").text
    # Saving leads to the first cluster without a name.
    assert page.switch_to.active_element.get_attribute("name") == "cluster-0"
    chosen = ["anger", "mixed", "sad", "sad", "happy"]
    for cluster, name in enumerate(chosen):
        radio = find(By.CSS_SELECTOR, f"input[name=cluster-{cluster}][value={name}]")
        radio.send_keys(Keys.SPACE)
    assert find(By.ID, "progress").text == "Named 5 of 8"
    page.refresh()
    find = page.find_element
    assert find(By.ID, "progress").text == "Named 5 of 8"
    first = find(By.CSS_SELECTOR, "input[name=cluster-5][value=anger]")
    first.send_keys(Keys.SPACE, Keys.ARROW_RIGHT, Keys.ARROW_RIGHT)
    for cluster in (6, 7):
        find(By.CSS_SELECTOR, f"input[name=cluster-{cluster}][value=fear]").send_keys(Keys.SPACE)
    assert find(By.ID, "progress").text == "Named 8 of 8, ready to save"
    # A suggestion chooses nothing; that it was opened is kept, and said.
    for fold in page.find_elements(By.CSS_SELECTOR, "#cluster-2 summary"):
        fold.send_keys(Keys.ENTER)
    assert "happy, by movements alone" in find(By.ID, "cluster-2").text
    page.refresh()
    find = page.find_element
    assert "happy, by movements alone" not in find(By.ID, "cluster-2").text
    assert find(By.ID, "progress").text == "Named 8 of 8, ready to save"
    find(By.ID, "namer").send_keys("Zoë M./{")
    assert find(By.ID, "path").text == "names/rgb/stacked/seed0.Zoë M..csv"
    assert "Zoë M." in find(By.ID, "namer-told").text
    for button in page.find_elements(By.CSS_SELECTOR, ".save"):
        button.send_keys(Keys.ENTER)
        file = saved(tmp_path / "rgb-stacked-seed0.Zoë M..csv")
        assert f"Saved as {file.name}. Move it to names/rgb/" in find(By.ID, "message").text
        names = read_person_names(file, clustering, "naming.html")
        file.unlink()
    assert list(names["emotion"]) == [*chosen, "disgust", "fear", "fear"]
    assert list(names.index[names["opened"]]) == [2]


@pytest.mark.parametrize("width", [390, 1400])
def test_pages_fit_and_are_labelled(request, browser, tmp_path, width):
    for name in ("naming", "map_text", "summary_text"):
        page = opened(browser, tmp_path, request.getfixturevalue(name))
        metrics = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 500}
        page.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
        script = (
            "return document.documentElement.scrollWidth <= document.documentElement.clientWidth"
        )
        assert page.execute_script(script), f"{name} is wider than {width} pixels"
        assert page.title != "taken"
        tree = page.execute_cdp_cmd("Accessibility.getFullAXTree", {})["nodes"]
        roles = [node["role"]["value"] for node in tree if not node["ignored"]]
        assert {"main", "heading"} <= set(roles)
        for node in tree:
            if node.get("role", {}).get("value") in (
                "radio",
                "checkbox",
                "button",
                "image",
                "link",
            ):
                assert node["ignored"] or node["name"]["value"].strip(), (name, node)


def test_the_map_shows_faces_and_filters_by_keyboard(browser, tmp_path, map_text):
    from selenium.webdriver.common.by import By
    from selenium.webdriver.common.keys import Keys

    page = opened(browser, tmp_path, map_text)
    find = page.find_element
    canvas, told = find(By.ID, "map"), find(By.ID, "told")
    ink = "return {}.getContext('2d').getImageData(0, 0, 256, 256).data.some(v => v)"
    # A scored face is there at first, beside the three that are nearest to it.
    first = int(re.match(r"Face (\d+), scored\ncluster \d: ", told.text)[1])
    assert 60 <= first < 90
    near = page.find_elements(By.CSS_SELECTOR, "#neighbours button")
    named = [int(each.get_attribute("aria-label").split(",")[0][5:]) for each in near]
    assert named == [(first + k) % 90 for k in (1, 2, 3)]
    near[1].send_keys(Keys.ENTER)
    assert told.text.startswith(f"Face {(first + 2) % 90}, ")
    canvas.send_keys(Keys.ESCAPE)
    assert told.text == "No face chosen." and not find(By.ID, "near").is_displayed()
    assert not page.execute_script(ink.format("document.getElementById('face')"))
    canvas.send_keys(Keys.ARROW_RIGHT)
    seen = {told.text}
    for key in (Keys.ARROW_RIGHT, Keys.ARROW_DOWN, Keys.ARROW_LEFT, Keys.ARROW_UP):
        canvas.send_keys(key)
        seen.add(told.text)
    assert len(seen) > 3 and all(text.startswith("Face ") for text in seen)
    assert page.execute_script(ink.format("document.getElementById('face')"))
    find(By.CSS_SELECTOR, "input[value=umap]").send_keys(Keys.SPACE)
    find(By.CSS_SELECTOR, "input[value=emotion]").send_keys(Keys.SPACE)
    legend = find(By.ID, "legend").text
    assert "unlabelled" in legend and HOSTILE in legend and page.title != "taken"
    find(By.ID, "none").send_keys(Keys.ENTER)
    page.execute_script("draw()")
    whole = ink.replace("256, 256", "canvas.width, canvas.height")
    assert not page.execute_script(whole.format("canvas"))
    find(By.CSS_SELECTOR, "#legend input").send_keys(Keys.SPACE)
    find(By.ID, "all").send_keys(Keys.ENTER)
    page.execute_script("draw()")
    assert page.execute_script(whole.format("canvas"))
    assert set(EMOTIONS) <= set(re.split(r"\W+", legend))


def test_the_map_is_coloured_by_a_movement(browser, tmp_path, map_text):
    from selenium.webdriver.common.by import By
    from selenium.webdriver.common.keys import Keys
    from selenium.webdriver.support.select import Select

    page = opened(browser, tmp_path, map_text)
    find = page.find_element
    Select(find(By.ID, "movement")).select_by_visible_text("smile")
    rows = page.find_elements(By.CSS_SELECTOR, "#legend label")
    counts = [[int(cell) for cell in re.findall(r"^\d+$", row.text, re.M)] for row in rows]
    bounds = [-np.inf, -2, -1, -0.5, 0.5, 1, 2, np.inf]
    measured = np.histogram(np.linspace(-5, 5, 90)[:60], bounds)[0]
    # Of the unlabelled faces, and of the scored ones, of which none is measured.
    assert counts == [*([count, 0] for count in measured), [0, 30]]
    assert rows[-1].text.startswith("not measured")
    # A face tells its strength; another colouring takes over again.
    page.execute_script("choose(0)")
    assert "smile: -4.0" in find(By.ID, "told").text
    page.execute_script("choose(70)")
    assert "smile" not in find(By.ID, "told").text
    find(By.CSS_SELECTOR, "input[value=cluster]").send_keys(Keys.SPACE)
    assert "not measured" not in find(By.ID, "legend").text
    assert find(By.ID, "movement").get_property("value") == ""
    Select(find(By.ID, "movement")).select_by_visible_text("smile")
    assert not page.find_elements(By.CSS_SELECTOR, "input[name=colour]:checked")
    Select(find(By.ID, "movement")).select_by_visible_text("none")
    assert find(By.CSS_SELECTOR, "input[name=colour]:checked").get_property("value") == "cluster"


def test_clusters_are_numbered_at_their_middles_and_counted_by_set(browser, tmp_path, map_text):
    from selenium.webdriver.common.by import By

    page = opened(browser, tmp_path, map_text)
    find = page.find_element
    heads = [cell.text for cell in page.find_elements(By.CSS_SELECTOR, "#legend .heads span")]
    assert heads == ["unlabelled", "scored"]
    counts = find(By.ID, "legend").text.split("\n")[2:]
    assert counts == ["0: sad", "20", "10", "1: mixed", "20", "10", "2: sad", "20", "10"]
    x, y = (page.execute_script(f"return Array.from(maps.tsne[{axis}])") for axis in (0, 1))
    for mark, left, top in page.execute_script("return middles()"):
        assert left == sorted(x[int(mark) :: 3])[15] and top == sorted(y[int(mark) :: 3])[15]
    # A group that is hidden, and colours of emotions, have none.
    find(By.CSS_SELECTOR, "#legend input").send_keys(" ")
    assert [mark for mark, *_ in page.execute_script("return middles()")] == ["1", "2"]
    find(By.CSS_SELECTOR, "input[value=emotion]").send_keys(" ")
    assert page.execute_script("return middles()") == []


def test_the_pointer_shows_a_face_and_a_click_keeps_it(browser, tmp_path, map_text):
    from selenium.webdriver.common.action_chains import ActionChains
    from selenium.webdriver.common.by import By

    page = opened(browser, tmp_path, map_text)
    canvas, told = page.find_element(By.ID, "map"), page.find_element(By.ID, "told")
    kept = told.text
    x, y = page.execute_script(
        "const [x, y] = screen(3);"
        "return [Math.round(x - canvas.clientWidth / 2), Math.round(y - canvas.clientHeight / 2)]"
    )
    ActionChains(page).move_to_element_with_offset(canvas, x, y).perform()
    assert told.text.startswith("Face 3, unlabelled")
    heading = page.find_element(By.TAG_NAME, "h1")
    ActionChains(page).move_to_element(heading).perform()
    assert told.text == kept
    ActionChains(page).move_to_element_with_offset(canvas, x, y).click().perform()
    ActionChains(page).move_to_element(heading).perform()
    assert told.text.startswith("Face 3, unlabelled")


@pytest.mark.parametrize("unscored", [False, True])
def test_the_summary_leads_to_the_data_sheets_once(unscored):
    assert "data_sheets.html" not in summarised([], unscored=unscored)
    pages = ["data_sheets.html", "rgb/stacked/seed0/map.html"]
    text = summarised([], unscored=unscored, pages=pages)
    assert text.count('<a href="data_sheets.html">') == 1
