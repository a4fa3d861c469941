"""What a photo shows: what the tables of an archive say of it, and XMP with what was corrected."""

import json

import numpy as np
import pandas as pd
import pytest
from made_photos import encoded, photo
from made_xmp import listed, packet

from facesort.archive.tables import APPARENT, BOX, TAGS
from facesort.archive.xmp import HIERARCHIES, list_of, ours, parse, texts
from facesort.common.emotions import EMOTIONS
from facesort.common.job import InputError
from facesort.serve import tag_page, tagging
from facesort.serve.limits import Limits, Refused
from facesort.serve.tagging import Tagger, sidecar

PLACES = ((40, 60, 200), (400, 200, 160))
UPRIGHT = photo(PLACES)


@pytest.fixture(scope="module")
def tagger():
    return Tagger(Limits(pixels=1_000_000))


@pytest.fixture(scope="module")
def answer(tagger):
    return tagger.tag("a.jpg", encoded(UPRIGHT), False)


def test_the_table_of_an_archive_says_the_same(tagger, answer, tmp_path):
    """Of the same photo by the rules' own functions, label-free answers and thresholds included."""
    import pyarrow.parquet as pq

    from facesort.archive.analysis import Analysis, analyse_buckets
    from facesort.archive.answers import LabelFree
    from facesort.archive.answers import answer as answer_faces
    from facesort.archive.export import export
    from facesort.archive.joining import join
    from facesort.archive.listing import BUCKETS, list_archive
    from facesort.archive.photographed import on_photographs
    from facesort.archive.review import NOBODY
    from facesort.archive.tables import MOVEMENTS
    from facesort.archive.tags import built_in

    (tmp_path / "photos").mkdir()
    (tmp_path / "photos/a.jpg").write_bytes(encoded(UPRIGHT))
    list_archive(tmp_path / "photos", tmp_path / "listing.parquet")
    settings = tagger.analysis.settings | {"max_bytes": 10**7}
    names = ("found", "read", "refused", "named", "said", "thumbnails", "previews")
    paths = {name: str(tmp_path / f"{name}.parquet") for name in names}
    analysis = Analysis(str(tmp_path / "photos"), settings)
    with analyse_buckets(
        str(tmp_path / "listing.parquet"), [*range(BUCKETS)], tmp_path / "state", analysis
    ) as (files, _):
        export(files, paths, settings["min_face"])
    answers = str(tmp_path / "answers.parquet")
    answer_faces([paths["found"]], [answers], LabelFree(np.zeros((0, len(MOVEMENTS)))))
    out = [str(tmp_path / name) for name in ("a.parquet", "b.parquet", "a.csv", "b.csv")]
    given = [[paths["read"]], [paths["found"]], [answers], [paths["named"]]]
    join(*given, *out, True, on_photographs(built_in()), NOBODY)
    faces = pq.read_table(out[0]).to_pandas()
    assert len(faces) == len(answer["faces"]) == 2
    for (_, row), face in zip(faces.iterrows(), answer["faces"], strict=True):
        assert row["tags"] == ";".join(face["tags"]) and row["look"] == face["look"]
        assert row["state"] == face["state"] == "answered"
        for name in (*APPARENT, *EMOTIONS):
            assert face["probabilities"][name] == pytest.approx(row[name], abs=1e-3)
        for edge in BOX:
            assert face["box"][edge] == pytest.approx(row[edge], abs=0.06)


def test_the_thresholds_of_an_archive_count(tagger, answer, tmp_path):
    (tmp_path / "found").mkdir()
    table = tagger.thresholds.assign(threshold=0.0)
    table.to_csv(tmp_path / "thresholds.csv")
    every = Tagger(Limits(), str(tmp_path)).tag("a.jpg", encoded(UPRIGHT), False)
    assert all(face["tags"][: len(APPARENT)] == [*TAGS[:5]] for face in every["faces"])
    assert any(face["tags"][:5] != [*TAGS[:5]] for face in answer["faces"])
    (tmp_path / "thresholds.csv").write_text("tag,threshold\nsmiling,0.5\n")
    with pytest.raises(InputError, match=r"thresholds\.csv: not an archive's table"):
        Tagger(Limits(), str(tmp_path))


def test_photos_on_their_side_and_without_faces_are_told(tagger):
    turned = tagger.tag("a.jpg", encoded(UPRIGHT, orientation=6), False)
    assert (turned["width"], turned["height"], turned["orientation"]) == (640, 480, 6)
    assert turned["problem"] == "" and len(turned["faces"]) == 2
    lying = tagger.tag("a.jpg", encoded(np.rot90(UPRIGHT)), False)
    assert lying["problem"] == "lies on its side" and len(lying["faces"]) == 2
    none = tagger.tag("a.png", encoded(photo([]), "PNG"), False)
    assert none["problem"] == "no face" and none["faces"] == []
    small = tagger.tag("a.jpg", encoded(photo([(40, 60, 50)], 200, 200)), False)
    assert {face["state"] for face in small["faces"]} <= {"small"}


def test_the_page_has_words_for_all_states():
    from facesort.archive.tables import STATES

    assert tuple(tag_page.STATES) == STATES


def corrected(answer, *tags):
    return json.dumps(answer | {"faces": [face | {"tags": [*tags]} for face in answer["faces"]]})


@pytest.mark.parametrize("orientation", range(1, 9))
def test_xmp_has_the_corrected_tags_and_boxes_as_the_photo_is_stored(tagger, orientation):
    data = encoded(photo(PLACES[:1]), orientation=orientation)
    answer = tagger.tag("a.jpg", data, False)
    tree = parse(sidecar(data, corrected(answer, "frowning", "looks sad")))
    for name in HIERARCHIES:
        words = texts(list_of(tree, name))
        assert sorted(word.replace("|", "/") for word in words) == [
            "facesort/frowning",
            "facesort/looks sad",
        ]
    ((box, tags),) = ours(tree)
    assert tags == ["frowning", "looks sad"]
    stored = tagger.tag("a.jpg", encoded(np.asarray(pixels_as_stored(data))), False)
    ((_, face),) = [(each["state"], each["box"]) for each in stored["faces"]]
    edges = [face["left"] / stored["width"], (face["left"] + face["width"]) / stored["width"]]
    edges += [face["top"] / stored["height"], (face["top"] + face["height"]) / stored["height"]]
    assert box == pytest.approx(edges, abs=0.03)


def pixels_as_stored(data):
    import io

    from PIL import Image

    return Image.open(io.BytesIO(data)).convert("RGB")


def test_xmp_carries_over_what_is_inside_the_photo(tagger):
    words = listed("lr:hierarchicalSubject", "Places|Rome")
    data = encoded(photo(PLACES[:1]), xmp=packet(words))
    tree = parse(sidecar(data, corrected(tagger.tag("a.jpg", data, False), "smiling")))
    assert texts(list_of(tree, "lr:hierarchicalSubject")) == ["Places|Rome", "facesort|smiling"]
    assert texts(list_of(tree, "digiKam:TagsList")) == ["Places/Rome", "facesort/smiling"]
    broken = encoded(photo(PLACES[:1]), xmp=b"<x:xmpmeta>")
    with pytest.raises(Refused, match="the XMP inside the photo"):
        sidecar(broken, corrected(tagger.tag("a.jpg", broken, False), "smiling"))


@pytest.mark.parametrize(
    "wrong",
    [
        "",
        "[" * 100_000,
        "null",
        "{}",
        '{"name": NaN}',
        lambda answer: answer | {"width": 0},
        lambda answer: answer | {"orientation": 9},
        lambda answer: answer | {"path": "/etc"},
        lambda answer: answer | {"faces": [answer["faces"][0] | {"tags": ["</rdf:RDF>"]}]},
        lambda answer: answer | {"faces": [answer["faces"][0] | {"box": {"left": 1}}]},
        lambda answer: answer | {"faces": [answer["faces"][0] | {"probabilities": {"a b": 1}}]},
    ],
)
def test_an_answer_that_is_none_is_refused(answer, wrong):
    text = wrong if isinstance(wrong, str) else json.dumps(wrong(answer))
    with pytest.raises(Refused, match="answer: ") as refused:
        sidecar(encoded(UPRIGHT), text)
    assert refused.value.status == 422 and len(refused.value.why) <= 200


def test_what_a_process_is_asked_is_what_it_was_started_with():
    tagging.start(Limits(pixels=1_000), None)
    with pytest.raises(Refused, match="too many pixels") as refused:
        tagging.tag("a.jpg", encoded(UPRIGHT), False)
    assert refused.value.status == 413
    pd.testing.assert_frame_equal(tagging._tagger.thresholds, Tagger(Limits()).thresholds)


def test_a_photo_that_holds_ours_inside_is_told_anew(tagger):
    plain = encoded(photo(PLACES[:1]))
    answer = tagger.tag("a.jpg", plain, False)
    first = sidecar(plain, corrected(answer, "smiling"))
    inside = encoded(photo(PLACES[:1]), xmp=first)
    tree = parse(sidecar(inside, corrected(tagger.tag("a.jpg", inside, False), "looks sad")))
    # The plain word may be anybody's.
    assert texts(list_of(tree, "lr:hierarchicalSubject")) == ["smiling", "facesort|looks sad"]
