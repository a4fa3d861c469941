"""The whole workflow at a small size: its results."""

import json
import re
import shutil

import numpy as np
import pandas as pd
import pytest
import yaml
from PIL import Image
from small_run import snakemake

from facesort.cluster.chance import TITLE, clusters_at_chance
from facesort.cluster.kmeans import load_clustering


def test_the_table_and_its_pictures_are_there(project):
    table = pd.read_csv(project / "results/table1.csv")
    assert list(table["model"]) == ["stacked"] * 2 + ["semi_supervised"] * 2
    assert list(table["variant"]) == ["rgb", "cropped"] * 2
    assert table["n_test"].nunique() == 1
    assert (table["accuracy_low"] <= table["accuracy"]).all()
    assert (table["oracle_accuracy"] >= table["accuracy"]).all()
    causes = pd.read_csv(project / "results/causes.csv")
    for name in ("model", "variant", "accuracy", "accuracy_low", "accuracy_high"):
        assert list(causes[name]) == list(table[name])
    assert list(causes["peeking_majority_accuracy"]) == list(table["oracle_accuracy"])
    assert list(causes["lost_in"]) == list(table["lost_in"])
    text = (project / "results/causes.md").read_text(encoding="utf-8")
    assert all(why in text for why in causes["why"])
    comparisons = pd.read_csv(project / "results/comparisons.csv")
    assert comparisons["question"].value_counts().to_dict() == {
        "chance": 4,
        "majority": 4,
        "models": 2,
        "variants": 2,
    }
    valence = pd.read_csv(project / "results/table2.csv")
    assert list(valence["n_test"].drop_duplicates()) == [36, 42]  # of 6 faces an emotion
    ensembles = pd.read_csv(project / "results/ensembles.csv")
    assert set(ensembles["how"]) == {
        "mean of probabilities",
        "vote of names",
        "co-association",
    }
    pictures = list((project / "results").rglob("figures/*.png"))
    # Confusion, losses, history; two architectures; maps, clusters, reconstructions of the cells.
    assert len(pictures) == 3 + 2 + 4 + 2 + 4
    for path in pictures:
        with Image.open(path) as picture:
            assert len(picture.convert("RGB").getcolors(1 << 24)) > 50, path


def test_the_encoder_learns_before_the_classifier_whatever_the_configs_order(project):
    # `yaml.safe_dump` has put "classify" first.
    history = project / "results/rgb/semi_supervised/seed0/model/history.jsonl"
    phases = [json.loads(line)["phase"] for line in history.read_text().splitlines()]
    assert phases == ["reconstruct", "classify"]


def test_the_pages_are_there_and_the_report_opens_offline(project, browser):
    results = project / "results"
    assert len(list(results.rglob("map.html"))) == 4
    assert len(list(results.rglob("naming.html"))) == 2
    costs = pd.read_csv(results / "costs.csv")
    assert {"train", "map_faces", "table1"} <= set(costs["rule"])
    urls = len(pd.read_parquet(results / "fetch/ledger.parquet"))
    browser.get((results / "summary.html").as_uri())
    text = browser.find_element("tag name", "main").text
    for words in ("semi_supervised", "jobs took", f"All {urls} URLs gave a photo", "Limits of use"):
        assert words in text
    best = browser.find_element("tag name", "h1").text
    assert best.startswith("Best: ") and browser.find_elements("css selector", ".strip img")
    for link in browser.find_elements("css selector", ".table-1 a"):
        assert (results / link.get_attribute("href").split("/results/")[1]).is_file()
    # The report shows the same at first, and no drawing of its jobs.
    browser.get((results / "report.html").as_uri())
    browser.implicitly_wait(60)
    browser.switch_to.frame(browser.find_element("tag name", "iframe"))
    assert browser.find_element("tag name", "h1").text == best
    assert "semi_supervised" in browser.find_element("tag name", "main").text
    assert not browser.find_elements("css selector", ".table-1 a")
    browser.switch_to.default_content()
    assert not browser.find_element("id", "rulegraph").is_displayed()


def test_pages_of_clusters_say_whether_these_are_at_chance(project):
    labelled = [project / f"results/labelled/{name}.parquet" for name in ("faces", "split")]
    for naming in (project / "results").rglob("naming.html"):
        clustering = load_clustering(naming.with_name("clusters.npz"))
        at_chance = clusters_at_chance(clustering, *labelled)
        for page in (naming, naming.with_name("map.html")):
            assert (f"{TITLE}</h1>" in page.read_text(encoding="utf-8")) is at_chance


def test_the_report_is_made_for_a_whole_run_alone(project):
    report = project / "results/report.html"
    before = report.stat().st_mtime_ns
    printed = snakemake(project, "--forcerun", "table1", "--", "results/table1.csv")
    assert "Elapsed time" in printed and report.stat().st_mtime_ns == before
    # The same table once more is no reason to rerun, so the last stage is asked for by name.
    snakemake(project, "--forcerun", "summary_page")
    assert report.stat().st_mtime_ns > before


def test_every_face_is_accounted_for(project):
    sample = pd.read_parquet(project / "results/sample/faces.parquet")
    fetched = pd.read_parquet(project / "results/fetch/faces.parquet")
    refused = pd.read_parquet(project / "results/fetch/refused.parquet")
    assert len(sample) == len(fetched) + len(refused) == 60
    kept = pd.read_parquet(project / "results/fetch/kept.parquet")["face"]
    leaks = pd.read_parquet(project / "results/fetch/leaks.parquet")["face"]
    assert sorted({*kept, *leaks}) == list(range(60)) and not set(kept) & set(leaks)
    faces = np.load(project / "results/fetch/faces.npy")
    assert np.array_equal(np.load(project / "results/rgb/pool.npy"), faces[kept])
    ledger = pd.read_parquet(project / "results/fetch/ledger.parquet")
    assert set(ledger["url"]) == set(sample["url"])


def test_two_persons_name_and_the_table_says_so(project, browser, saved, tmp_path):
    project = shutil.copytree(project, tmp_path / "named")
    folder = project / "names/rgb/stacked"
    folder.mkdir(parents=True)
    page = project / "results/rgb/stacked/seed0/naming.html"
    try:
        for person, last in (("", "happy"), ("Anna M", "mixed")):
            file = f"seed0.{person}.csv" if person else "seed0.csv"
            browser.get(page.as_uri())
            browser.find_element("id", "namer").send_keys(person)
            for cluster, name in enumerate(["happy"] * 4 + ["sad"] * 3 + [last]):
                choice = f"input[name=cluster-{cluster}][value={name}]"
                browser.find_element("css selector", choice).send_keys(" ")
            browser.find_element("id", "save").send_keys("\n")
            saved(tmp_path / f"rgb-stacked-{file}").rename(folder / file)
        snakemake(project, "results/table1.md")
        table = (project / "results/table1.md").read_text(encoding="utf-8")
        assert "Named by a person: rgb/stacked/seed0." in table
        assert "main and Anna M agree on 7 of 8 clusters" in table
        metrics = pd.read_json(project / "results/rgb/stacked/seed0/metrics.json", typ="series")
        assert metrics["naming"] == "person"
        names = pd.read_csv(project / "results/rgb/stacked/seed0/names.csv")
        assert list(names["emotion"]) == ["happy"] * 4 + ["sad"] * 3 + ["happy"]
        text = folder / "seed0.csv"
        text.write_text(text.read_text().replace("0,happy", "0,bored"))
        printed = snakemake(project, "results/table1.md", expect=1)
        assert "names/rgb/stacked/seed0.csv, row 2: 'bored' is not one of" in printed
        shutil.copy(folder / "seed0.Anna M.csv", text)
        (project / "change.yaml").write_text("clustering: {clusters: 7}\n", encoding="utf-8")
        target = "results/rgb/stacked/seed0/names.csv"
        other = ("--configfile", "small.yaml", "change.yaml", "--", target)
        printed = snakemake(project, *other, expect=1)
        assert "row 2: named for clustering" in printed
        assert "end the command with -- results/rgb/stacked/seed0/naming.html" in printed
    finally:
        shutil.rmtree(project)


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"faces": {"size": "big"}}, "faces.size: 'big' is not of type"),
        ({"faces": {"sise": 3}}, r"faces.sise: no such key; did you mean faces.size\?"),
        ({"faces": {"border": 12}}, "faces.border: 12 leaves nothing"),
        ({"faces": {"border": 4}}, "models.semi_supervised.pools.cropped: .* do not divide"),
        (
            {"data": {"labelled": "."}},
            "data: labelled needs a pool; set one of fec_csv",
        ),
        ({"data": {"fec_csv": "missing.csv"}}, "data.fec_csv: missing.csv: no such"),
        (
            {"data": {"fec_csv": "missing.csv", "labelled": "."}},
            "data.fec_csv: missing.csv: no such",
        ),
        ({"seeds": []}, "seeds: .*"),
    ],
)
def test_a_wrong_config_is_named_by_its_key(project, change, complaint):
    (project / "change.yaml").write_text(yaml.safe_dump(change), encoding="utf-8")
    printed = snakemake(project, "-n", "--configfile", "small.yaml", "change.yaml", expect=1)
    assert re.search(complaint, printed), printed
    assert "Traceback" not in printed
