"""Placeholders: lost with a cause of their own, while photos that are one are kept."""

import hashlib
import random

import numpy as np
import pandas as pd
import pytest
from test_download import (
    SETTINGS,
    Site,
    faces_of,
    fetch,
    hosts_of_two_shards,
    picture,
    serving,
    work,
)

from facesort.common.arrays import write_index
from facesort.common.job import InputError
from facesort.fetch.journal import Entry, Journal, buckets_of
from facesort.fetch.losses import count_losses
from facesort.fetch.manifest import read_manifest
from facesort.fetch.placeholders import find_placeholders
from facesort.fetch.worklist import WorkList

NONE = {"allow": [], "forbid": []}
# Faces of three photos: no two overlap by half.
LEFT, MIDDLE, RIGHT = (0.0, 0.4, 0.1, 0.9), (0.15, 0.55, 0.1, 0.9), (0.5, 0.9, 0.1, 0.9)
CENTRE = (0.2, 0.8, 0.2, 0.8)
GONE = "http://photos.example/unavailable.png"


def found_among(folder, photos, settings=NONE):
    """Placeholders among photos, each a URL, its bytes' name, where it was redirected, a box."""
    sample = pd.concat([faces_of([url], box) for url, _, _, box in photos], ignore_index=True)
    write_index(sample, folder / "sample.parquet")
    with Journal(folder / "state", 8) as journal, WorkList(folder / "sample.parquet") as worklist:
        for url, name, final_url, _ in photos:
            journal.add(Entry(url, "fetched", sha256=digest(name), final_url=final_url), {})
        return find_placeholders(worklist, journal, settings)


def digest(name):
    return hashlib.sha256(name.encode()).hexdigest()


def urls(count, host="http://a.example"):
    return [f"{host}/{number}.jpg" for number in range(count)]


REAL = {
    "a photo named by two URLs": [(url, "photo", None, CENTRE) for url in urls(2)],
    "two that were redirected to one": [(url, "photo", GONE, CENTRE) for url in urls(2)],
    "a photo of twelve faces": [
        (urls(1)[0], "photo", None, (0.08 * i, 0.08 * i + 0.05, 0.1, 0.2)) for i in range(12)
    ],
    "mirrors of a photo": [
        (f"http://mirror{i}.example/1.jpg", "photo", None, CENTRE) for i in range(20)
    ],
    "http and https, redirected": [
        (f"{scheme}://{host}.example/1.jpg", "photo", "https://a.example/1.jpg", CENTRE)
        for scheme in ("http", "https")
        for host in ("a", "A", "b", "www.a")
    ],
    "nine copies with faces alike": [
        (url, "photo", None, (0.2, 0.8 + 0.01 * i, 0.2, 0.8)) for i, url in enumerate(urls(9))
    ],
    "three copies that show two faces": [
        (url, "photo", None, box) for url, box in zip(urls(3), (LEFT, LEFT, RIGHT), strict=True)
    ],
    "each redirected to a place of its own": [
        (url, url, url.replace("a.example", "b.example"), LEFT) for url in urls(30)
    ],
    "no two alike": [(url, url, None, LEFT) for url in urls(30)],
}
FALSE = {
    "three redirected to one": [(url, "gone", GONE, CENTRE) for url in urls(3)],
    "three that show three faces": [
        (url, "gone", None, box) for url, box in zip(urls(3), (LEFT, MIDDLE, RIGHT), strict=True)
    ],
    "ten copies": [(url, "gone", None, CENTRE) for url in urls(10)],
    "ten on ten hosts": [(f"http://{i}.example/{i}.jpg", "gone", None, CENTRE) for i in range(10)],
    "numbered by the query": [
        (f"http://a.example/photo?id={i}", "gone", None, CENTRE) for i in range(10)
    ],
    "redirected, and one that was not": [
        *((url, "gone", GONE, CENTRE) for url in urls(3)),
        ("http://b.example/x.jpg", "gone", None, CENTRE),
        (GONE, "gone", None, CENTRE),
    ],
}


@pytest.mark.parametrize("photos", REAL.values(), ids=REAL)
def test_photos_that_are_one_are_kept(tmp_path, photos):
    assert found_among(tmp_path, photos) == {}


@pytest.mark.parametrize("photos", FALSE.values(), ids=FALSE)
def test_placeholders_are_found(tmp_path, photos):
    others = [(url, url, None, CENTRE) for url in urls(5, "http://c.example")]
    wanted = {digest("gone"): f"placeholder: in place of {len(photos)} photos"}
    for seed in range(3):
        mixed = [*photos, *others]
        random.Random(seed).shuffle(mixed)
        assert found_among(tmp_path / str(seed), mixed) == wanted


def test_one_address_that_gives_other_bytes_each_time_is_no_photo(tmp_path):
    photos = [(url, url, GONE, CENTRE) for url in urls(4)]
    found = found_among(tmp_path, photos)
    assert found == {digest(url): "placeholder: in place of 1 photo" for url in urls(4)}


def test_the_config_has_the_last_word(tmp_path):
    photos = FALSE["ten copies"] + [(url, "rare", None, CENTRE) for url in urls(2, "http://b.org")]
    allowed = {"allow": [digest("gone").upper()], "forbid": [digest("rare"), digest("absent")]}
    assert found_among(tmp_path, photos, allowed) == {
        digest("rare"): "placeholder: in place of 2 photos"
    }


@pytest.fixture
def site():
    """36 photos, and 24 that were moved to one picture."""
    with serving(Site()) as site:
        site.pages |= {f"/{i}.jpg": picture(i) for i in range(36)}
        site.pages |= {
            f"/gone{i}.jpg": lambda page: page.say(302, Location="/unavailable.png")
            for i in range(24)
        }
        site.pages["/unavailable.png"] = picture(99, "PNG")
        yield site


def sample_of(site):
    paths = [path for path in site.pages if path != "/unavailable.png"]
    return faces_of([site.url + path for path in paths], CENTRE)


def test_faces_of_placeholders_are_lost_and_counted(site, tmp_path):
    sample = sample_of(site)
    ledger, array, index, refused = fetch(sample, tmp_path)
    gone = digest_of(site.pages["/unavailable.png"])
    lost = ledger[ledger["outcome"] == "failed"]
    assert len(array) == 36 and len(lost) == len(refused) == 24
    assert lost.index.str.contains("gone").all()
    assert set(lost["error"]) == set(refused["cause"]) == {"placeholder: in place of 24 photos"}
    assert set(lost["sha256"]) == {gone} and gone not in set(index["sha256"])
    assert set(lost["final_url"]) == {site.url + "/unavailable.png"}
    assert ledger.drop(lost.index)["final_url"].isna().all()
    assert count_losses(ledger.reset_index(), refused).to_dict("records") == [
        {"host": "127.0.0.1", "outcome": "failed", "cause": "placeholder", "urls": 24, "faces": 24}
    ]
    # Another word on it asks no host.
    asked = site.asked.copy()
    allowed = {"allow": [gone], "forbid": []}
    ledger, array, _, refused = fetch(sample, tmp_path, placeholders=allowed)
    assert len(array) == 60 and refused.empty and (ledger["outcome"] == "fetched").all()
    forbidden = {"allow": [], "forbid": [digest_of(site.pages["/3.jpg"])]}
    _, array, index, _ = fetch(sample, tmp_path, placeholders=forbidden)
    assert len(array) == 35 and f"{site.url}/3.jpg" not in set(index["url"])
    assert site.asked == asked


def test_nothing_but_placeholders_is_an_error_that_loses_nothing(site, tmp_path):
    sample = sample_of(site)
    sample = sample[sample["url"].str.contains("gone")]
    wanted = r"none of 24 .*: placeholder \(24\); .*fetch\.placeholders\.allow"
    with pytest.raises(InputError, match=wanted):
        fetch(sample, tmp_path)
    asked = site.asked.copy()
    allowed = {"allow": [digest_of(site.pages["/unavailable.png"])], "forbid": []}
    assert len(fetch(sample, tmp_path, placeholders=allowed)[1]) == 24
    assert site.asked == asked


def test_they_are_asked_for_again_like_all_that_failed(site, tmp_path):
    """A host may have been down for a day; others stay gone, now with another cause."""
    sample = sample_of(site)
    fetch(sample, tmp_path)
    for number in range(24):
        site.pages[f"/gone{number}.jpg"] = picture(100 + number)
    site.pages["/gone0.jpg"] = lambda page: page.say(404)
    asked = site.asked.copy()
    fetch(sample, tmp_path)
    assert site.asked == asked
    ledger, array, _, refused = fetch(sample, tmp_path, retry_failed=True)
    assert len(array) == 59
    assert refused[["url", "cause"]].to_numpy().tolist() == [
        [site.url + "/gone0.jpg", "status 404"]
    ]
    assert ledger.loc[site.url + "/gone0.jpg", "error"] == "status 404"
    assert site.asked["/3.jpg"] == asked["/3.jpg"]


def test_a_manifest_names_the_bytes_that_it_wants(site, tmp_path):
    sample = sample_of(site)
    gone = digest_of(site.pages["/unavailable.png"])
    allowed = {"allow": [gone], "forbid": []}
    _, array, _, _ = fetch(sample, tmp_path / "one", placeholders=allowed)
    frozen, _ = read_manifest(tmp_path / "one" / "manifest.csv")
    again = fetch(frozen, tmp_path / "two")[1]
    assert np.array_equal(again, array)
    forbidden = {"allow": [], "forbid": [gone]}
    assert len(fetch(frozen, tmp_path / "two", placeholders=forbidden)[1]) == 36


def test_shards_decide_together(tmp_path):
    hosts = hosts_of_two_shards()
    with serving(Site("0.0.0.0")) as site:
        # Two a host: no shard could tell by itself.
        paths = [f"http://{host}:{site.port}/{host}-{n}.jpg" for host in hosts for n in range(3)]
        boxes = (LEFT, LEFT, MIDDLE, MIDDLE, RIGHT, RIGHT)
        site.pages |= {f"/{host}-{n}.jpg": picture(0) for host in hosts for n in range(2)}
        site.pages |= {f"/{host}-2.jpg": picture(1 + i) for i, host in enumerate(hosts)}
        sample = pd.concat(
            [faces_of([url], boxes[i % 6]) for i, url in enumerate(paths)], ignore_index=True
        )
        whole = fetch(sample, tmp_path / "one")
        for shard in (1, 0):
            work(sample, tmp_path / "two", SETTINGS, (), buckets_of(shard, 2))
        parts = fetch(sample, tmp_path / "two")
    assert len(whole[1]) == 4
    assert np.array_equal(whole[1], parts[1])
    assert whole[3].equals(parts[3])


def digest_of(data):
    return hashlib.sha256(data).hexdigest()


def test_any_mixture_is_decided_by_the_three_rules(tmp_path):
    """As docs/fetching.md tells them, written down a second time."""
    generator = random.Random(7)
    photos = []
    for number in range(1500):
        # Some pictures often, most of them seldom.
        name = f"p{int(400 * generator.random() ** 2)}"
        final = f"http://f.example/{generator.randrange(300)}" if number % 3 == 0 else None
        box = generator.choice((LEFT, MIDDLE, RIGHT, CENTRE))
        host = generator.randrange(5)
        photos.append((f"http://h{host}.example/{number // 2}.jpg", name, final, box))
    photos = list({url: (url, *rest) for url, *rest in photos}.values())
    table = pd.DataFrame(photos, columns=["url", "name", "final", "box"])
    table["path"] = table["url"].str.rpartition("/")[2]
    paths = table.groupby("final")["path"].nunique()
    wanted = set(table.loc[table["final"].isin(paths.index[paths >= 3]), "name"])
    for name, copies in table.groupby("name"):
        # Of photos that are one, the first by its URL counts.
        boxes = copies.sort_values("url").drop_duplicates("path")["box"]
        if len(boxes) >= 10 or boxes.nunique() >= 3:
            wanted.add(name)
    assert 50 < len(wanted) < table["name"].nunique() - 50
    counts = table["name"].value_counts().to_dict()
    assert found_among(tmp_path, photos) == {
        digest(name): f"placeholder: in place of {counts[name]} photo{'s' * (counts[name] > 1)}"
        for name in wanted
    }
