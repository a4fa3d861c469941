"""Comparisons of faces: read, and split by photo."""

import numpy as np
import pandas as pd
import pytest
from small_run import BEYOND

from facesort.common.job import InputError
from facesort.faces.triplets import read_comparisons, read_triplets, split_by_photo
from facesort.fetch.fec import parse_face

AGREEMENT = BEYOND["models"]["triplet"]["agreement"]


def slot(face):
    """Two faces a photo: face 2n and 2n + 1 share a URL."""
    left = "0.1" if face % 2 else "0.15"
    return f'"http://example.org/{face // 2}.jpg",{left},0.5,0.2,0.6'


def line(faces, answers, kind="TWO"):
    told = "".join(f",{number},{answer}" for number, answer in enumerate(answers))
    return ",".join(map(slot, faces)) + f",{kind}_CLASS_TRIPLET{told}"


def identity(face):
    url, *box = slot(face).replace('"', "").split(",")
    return parse_face((url, *box), 1, 1).face_id


def comparisons(tmp_path, lines, faces=12, kept=None):
    path = tmp_path / "fec.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    ids = np.array([identity(face) for face in range(faces)], object)
    kept = np.arange(faces) if kept is None else np.array(kept)
    return read_comparisons(path, ids, kept, agreement=AGREEMENT)


def test_the_odd_one_out_and_the_margin_are_read(tmp_path):
    lines = [
        line([0, 2, 4], "333333", "ONE"),
        line([0, 2, 4], "1111222211", "TWO"),  # 6 of 10 is too little
        line([6, 8, 4], "1111231", "THREE"),
        line([6, 8, 4], "222211") + ",",  # 4 of 6 is two thirds
    ]
    table, lost = comparisons(tmp_path, lines)
    found = table[["row", "first", "second", "odd", "kind", "annotators"]].to_numpy().tolist()
    assert found == [[1, 0, 2, 4, "one", 6], [3, 8, 4, 6, "three", 7], [4, 6, 4, 8, "two", 6]]
    assert table["margin"].tolist() == pytest.approx([0.1, 0.2, 0.2])
    assert table["agreement"].tolist() == pytest.approx([1, 5 / 7, 4 / 6])
    assert lost == {"too little agreement": 1}


def test_hostile_rows_are_left_out_and_counted(tmp_path):
    good = line([0, 2, 4], "111111")
    lines = [
        line([0, 2, 4], "111141"),
        line([0, 2, 4], ["1", "1", "one", "1"]),
        line([0, 2, 4], "111111") + ",77",
        line([0, 2, 4], ""),
        ",".join(map(slot, [0, 2, 4])),
        ",".join(map(slot, [0, 2, 4])) + ",FOUR_CLASS_TRIPLET,1,1",
        "a,b\x00,c",
        good.replace("http:", "ftp:", 1),
        line([0, 2, 22], "111111"),
        line([0, 2, 5], "111111"),
        line([0, 0, 2], "333333"),
        "",
        good,
    ]
    table, lost = comparisons(tmp_path, lines, kept=[0, 2, 4])
    assert len(table) == 1 and table.iloc[0][["first", "second", "odd"]].tolist() == [1, 2, 0]
    assert lost == {
        "an answer that is not 1, 2 or 3": 2,
        "an annotator without an answer": 1,
        "no answers": 1,
        "no triplet type": 1,
        "no row of an FEC file": 2,
        "a face's URL or box cannot be used": 1,
        "a face was not sampled or not fetched": 1,
        "a face is also in the labelled set": 1,
        "the same face twice": 1,
    }


def made_up(count, faces, seed=0):
    """Random comparisons among faces of which every two share a photo."""
    rng = np.random.default_rng(seed)
    chosen = np.stack([rng.choice(faces, 3, replace=False) for _ in range(count)])
    table = pd.DataFrame(chosen, columns=["first", "second", "odd"])
    ids = np.array([f"{face:032x}" for face in range(faces)], object)
    return table, ids, np.array([f"photo{face // 2}" for face in range(faces)], object)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(("count", "faces"), [(5, 12), (300, 400), (3000, 200)])
def test_no_photo_stands_on_both_sides(seed, count, faces):
    table, ids, photos = made_up(count, faces, seed)
    parts = split_by_photo(table, ids, photos, held_out=0.2, seed=seed)
    sides = {
        part: set(photos[table[parts == part].to_numpy().ravel()]) for part in ("train", "held_out")
    }
    assert not sides["train"] & sides["held_out"]
    held = sides["held_out"]
    touched = np.isin(photos[table.to_numpy()], list(held)).sum(1)
    # Nothing is lost without need, and the held-out photos are as many as were asked for.
    assert np.array_equal(parts == "crosses", (touched > 0) & (touched < 3))
    total = len(set(photos[table.to_numpy().ravel()]))
    assert 0.2 * total <= len(held) <= 0.2 * total + 3


def test_the_split_depends_on_the_faces_and_the_seed_alone():
    table, ids, photos = made_up(300, 400)
    parts = split_by_photo(table, ids, photos, held_out=0.2, seed=0)
    order = np.random.default_rng(1).permutation(len(table))
    turned = table.iloc[order][["odd", "first", "second"]]
    turned.columns = table.columns
    assert np.array_equal(split_by_photo(turned, ids, photos, held_out=0.2, seed=0), parts[order])
    assert not np.array_equal(split_by_photo(table, ids, photos, held_out=0.2, seed=1), parts)


def test_a_photo_under_two_urls_is_one_photo(tmp_path):
    rng = np.random.default_rng(0)
    lines = [line(rng.choice(120, 3, replace=False), "111111") for _ in range(60)]
    (tmp_path / "fec.csv").write_text("\n".join(lines), encoding="utf-8")
    ids = [identity(face) for face in range(120)]
    digests = np.array([f"digest{face // 4}" for face in range(120)])
    index = pd.DataFrame({"face_id": ids, "sha256": digests})
    table, lost = read_triplets(
        tmp_path / "fec.csv", index, np.arange(120), agreement=0.6, held_out=0.2, seed=0
    )
    sides = [
        set(
            digests[table.loc[table["part"] == part, ["first", "second", "odd"]].to_numpy().ravel()]
        )
        for part in ("train", "held_out")
    ]
    assert all(sides) and not sides[0] & sides[1]
    assert lost.to_numpy().tolist() == [["photos on both sides of the split", 60 - len(table)]]


def test_no_comparison_left_is_one_clear_line(tmp_path):
    path = tmp_path / "fec.csv"
    index = pd.DataFrame({"face_id": [identity(0)], "sha256": ["a"]})
    for text, words in (
        (line([0, 2, 4], "111111"), r"a face was not sampled or not fetched \(1\).*faces.sample"),
        ("", "it is empty"),
    ):
        path.write_text(text, encoding="utf-8")
        with pytest.raises(InputError, match=f"no comparison is left to learn from: {words}"):
            read_triplets(path, index, np.arange(1), agreement=0.6, held_out=0.2, seed=0)
