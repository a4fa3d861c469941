"""Comparisons of faces: read, split by photo, learnt from, scored; votes of the nearest faces."""

import numpy as np
import pandas as pd
import pytest
import torch
import yaml
from small_run import SMALL, copy_project, snakemake, would_run

from facesort.common.config import config_errors
from facesort.common.digests import SCRIPTS
from facesort.common.emotions import EMOTIONS
from facesort.common.job import InputError
from facesort.faces.triplets import read_comparisons, read_triplets, split_by_photo
from facesort.fetch.fec import parse_face
from facesort.score.probes import NEIGHBOURS, neighbours_votes
from facesort.score.table1 import make_table, table_markdown
from facesort.score.triplet_accuracy import (
    agree_with_people,
    make_triplet_table,
    triplet_score,
    triplets_markdown,
)
from facesort.train.checkpoints import Checkpoint
from facesort.train.devices import Device
from facesort.train.engine import Phase, fit
from facesort.train.models import build
from facesort.train.models.triplet import triplet_loss

BEYOND = yaml.safe_load((SCRIPTS.parent / "configs/beyond.yaml").read_text(encoding="utf-8"))
BLOCK = BEYOND["models"]["triplet"]
SETTINGS = BLOCK | {"filters": [8, 16], "reduce": 16, "growth": 8, "layers": 2, "dense": 32}
CPU = Device(torch.device("cpu"), bfloat16=False)
BOX = ("0.1", "0.5", "0.2", "0.6")


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
    return read_comparisons(path, ids, kept, agreement=BLOCK["agreement"])


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


def config(**changes):
    base = yaml.safe_load((SCRIPTS.parent / "config.yaml").read_text(encoding="utf-8"))
    base["models"] |= BEYOND["models"]
    return {
        key: base[key] | changes.get(key, {}) for key in base if isinstance(base[key], dict)
    } | {key: base[key] for key in base if not isinstance(base[key], dict)}


def test_a_config_without_comparisons_is_named(tmp_path):
    assert config_errors(config()) == []
    (tmp_path / "manifest.csv").touch()
    data = {"manifest": str(tmp_path / "manifest.csv"), "labelled": str(tmp_path)}
    (error,) = config_errors(config(data=data))
    assert error.startswith("models.triplet: a manifest") and "fec_csv" in error
    (error,) = config_errors(config(models={"triplet": BLOCK | {"filters": [8] * 6}}))
    assert error.startswith("models.triplet.filters: 6 halvings leave nothing of 36 pixels")
    (error,) = config_errors(config(models={"triplet": BLOCK | {"agreement": 0.5}}))
    assert error.startswith("models.triplet.agreement")


def test_the_loss_is_the_papers():
    rng = np.random.default_rng(0)
    first, second, odd = rng.normal(0, 0.3, (3, 50, 4))
    margin = rng.choice([0.1, 0.2], 50)
    by_hand = 0.0
    for a, b, c, m in zip(first, second, odd, margin, strict=True):
        pair = sum((a - b) ** 2)
        by_hand += max(0, pair - sum((a - c) ** 2) + m) + max(0, pair - sum((b - c) ** 2) + m)
    found = triplet_loss(*(torch.from_numpy(part) for part in (first, second, odd, margin)))
    assert found.item() == pytest.approx(by_hand / 50)


def test_faces_of_a_batch_are_taken_three_by_three():
    torch.manual_seed(0)
    model = build("triplet", (24, 24, 3), SETTINGS).eval()
    x, margin = torch.rand(6, 3, 24, 24), torch.tensor([0.1, 0.2])
    e = model.embed(x)
    expected = triplet_loss(e[[0, 3]], e[[1, 4]], e[[2, 5]], margin)
    assert model.phase_loss("compare", x, margin).item() == pytest.approx(expected.item())


@pytest.mark.parametrize("shape", [(48, 48, 3), (48, 48, 1), (36, 36, 3), (8, 8, 3)])
def test_the_embedding_has_16_numbers_and_unit_length(shape):
    model = build("triplet", shape, BLOCK)
    x = torch.rand(3, shape[2], *shape[:2])
    for mode in (True, False):
        e = model.train(mode).embed(x)
        assert e.shape == (3, 16) and e.dtype == torch.float32
        torch.testing.assert_close(e.norm(dim=1), torch.ones(3))
    # A face's embedding does not depend on those beside it.
    torch.testing.assert_close(model.embed(x[:1]), e[:1], rtol=1e-3, atol=1e-4)


def bars(count, seed):
    """Pictures whose one feature that counts is the height of a bar; places and colours vary."""
    rng = np.random.default_rng(seed)
    height = rng.uniform(0, 1, count)
    faces = rng.integers(0, 60, (count, 16, 16, 3), np.uint8)
    faces += rng.integers(0, 60, (count, 1, 1, 3), np.uint8)
    for face, tall, left in zip(faces, height, rng.integers(0, 13, count), strict=True):
        face[15 - int(14 * tall) :, left : left + 3] = 220
    return faces, height


def test_a_small_net_learns_comparisons(tmp_path):
    faces, height = bars(240, 0)
    rng = np.random.default_rng(0)

    def compared(rows, count):
        chosen = np.stack([rng.choice(rows, 3, replace=False) for _ in range(count)])
        apart = np.abs(height[chosen][:, [1, 0, 0]] - height[chosen][:, [2, 2, 1]])
        odd = apart.argmin(1)[:, np.newaxis]
        rest = chosen[np.arange(3) != odd].reshape(-1, 2)
        table = np.concatenate([rest, np.take_along_axis(chosen, odd, 1)], 1)
        return pd.DataFrame(table, columns=["first", "second", "odd"])

    taught, held_out = compared(np.arange(180), 400), compared(np.arange(180, 240), 300)
    torch.manual_seed(0)
    model = build("triplet", (16, 16, 3), SETTINGS)

    def accuracy():
        model.eval()
        with torch.no_grad():
            x = torch.from_numpy(faces).permute(0, 3, 1, 2).float() / 255
            return agree_with_people(model.embed(x).numpy(), held_out).mean()

    margins = np.full(len(taught), 0.2, np.float32)
    phase = Phase(
        "compare", faces, np.arange(len(taught)), None, 4, "adam", 0.002,
        groups=taught.to_numpy(), targets=margins,
    )  # fmt: skip
    history = fit(
        model, [phase], CPU, batch_size=32, seed=0, label="test",
        checkpoint=Checkpoint(tmp_path / "last.pt", identity="test", minutes=60),
    )  # fmt: skip
    assert history[-1].loss < 0.7 * history[0].loss
    assert accuracy() > 0.6


def test_triplet_accuracy_counts_nearest_pairs():
    embeddings = np.array([[0, 0], [1, 0], [5, 0], [5, 5]], np.float32)
    table = pd.DataFrame([[0, 1, 2], [0, 2, 1], [2, 3, 0], [0, 0, 0]])
    table.columns = ["first", "second", "odd"]
    # 5 from 2 to 3, as from 2 to 0: a tie is no agreement.
    assert agree_with_people(embeddings, table).tolist() == [True, False, False, False]
    wide = np.tile(embeddings, (1, 2_000_000))
    assert agree_with_people(wide, table).tolist() == [True, False, False, False]


def test_the_table_of_triplets_reads_well():
    held_out = pd.DataFrame(
        {"kind": ["one"] * 30 + ["three"] * 70, "agreement": [0.7] * 50 + [0.9] * 50}
    )
    right = np.arange(100) < 65
    score = triplet_score(right[np.newaxis], held_out)
    assert score["triplet_accuracy"] == 0.65 and score["people_agreement"] == pytest.approx(0.8)
    assert score["triplet_accuracy_low"] < 0.6 < 0.7 < score["triplet_accuracy_high"]
    assert (score["one_class_accuracy"], score["two_class_accuracy"]) == (1, None)
    cells = [
        {"model": model, "variant": "rgb", "seed": seed}
        for model in ("stacked", "triplet")
        for seed in (0, 1)
    ]
    answers = [pd.DataFrame({"right": part}) for part in (right, ~right, right, right)]
    table = make_triplet_table(cells, answers, held_out)
    assert table["triplet_accuracy"].tolist() == [0.5, 0.65]
    assert table["learnt_from_comparisons"].tolist() == [False, True]
    triplets = pd.DataFrame({"part": ["held_out"] * 100 + ["train"] * 1200})
    lost = pd.DataFrame({"cause": ["too little agreement"], "rows": [1234]})
    text = triplets_markdown(table, triplets, lost, data="made-up faces")
    assert "| triplet | rgb | 0.650 [0.5" in text and "nan" not in text and "None" not in text
    assert "Weakly supervised: triplet, by 1,200 other comparisons" in text
    assert "too little agreement: 1,234" in text and "0.333" in text


def test_table_1_calls_the_row_weakly_supervised():
    truth = pd.DataFrame(
        {"face": range(8), "label": EMOTIONS, "predicted": EMOTIONS, "group": range(8)}
    )
    columns = ["question", "first", "second", "difference", "p_holm"]
    causes = pd.DataFrame(columns=["model", "variant", "lost_in", "why"])

    def text(model):
        return table_markdown(
            make_table([{"model": model, "variant": "rgb", "seed": 0}], [truth]),
            pd.DataFrame(columns=columns),
            causes,
            data="made-up faces",
            seeds=[0],
            naming="",
            labels=truth["label"],
        )

    assert "Weakly supervised: triplet, which learnt from people's comparisons" in text("triplet")
    assert "eakly" not in text("supervised")


def test_a_face_does_not_vote_for_itself():
    # Two far groups of two; in each the other face has another label.
    embeddings = np.array([[0, 0], [0.1, 0], [9, 9], [9.1, 9]], np.float32)
    labels = np.array([0, 1, 2, 3])
    votes, neighbours = neighbours_votes(embeddings, labels, np.arange(4), 8)
    assert neighbours == 1 and votes.shape == (4, 8) and votes.dtype == np.float32
    assert votes.argmax(1).tolist() == [1, 0, 3, 2]
    # Nor where copies of it come first.
    copies = np.zeros((60, 2), np.float32)
    labels = np.arange(60) % 8
    votes, _ = neighbours_votes(copies, labels, np.arange(60), 8)
    assert np.isfinite(votes).all()


def test_votes_are_shares_and_ties_go_to_the_nearer():
    rng = np.random.default_rng(0)
    labels = np.arange(400) % 8
    embeddings = (rng.normal(0, 1, (8, 16))[labels] + rng.normal(0, 1, (400, 16))).astype("f4")
    teaching = np.arange(200)
    votes, k = neighbours_votes(embeddings, labels, teaching, 8)
    apart = np.linalg.norm(embeddings[200:, None] - embeddings[None, :200], axis=2)
    nearest = np.argsort(apart, axis=1)[:, :k]
    shares = np.stack([(labels[nearest] == kind).mean(1) for kind in range(8)], 1)
    assert k in NEIGHBOURS and k > 1
    assert votes[200:] == pytest.approx(shares, abs=2e-3)
    assert votes.sum(1) == pytest.approx(np.ones(400), abs=1e-6)
    best = shares.max(1)
    for row in np.flatnonzero((shares == best[:, None]).sum(1) > 1):
        tied = np.flatnonzero(shares[row] == best[row])
        far = [apart[row, nearest[row][labels[nearest[row]] == kind]].sum() for kind in tied]
        assert votes[200 + row].argmax() == tied[np.argmin(far)]


def test_votes_never_look_at_other_labels():
    rng = np.random.default_rng(0)
    labels = np.arange(200) % 8
    embeddings = rng.normal(0, 1, (200, 16)).astype("f4")
    hidden = np.where(np.arange(200) < 100, labels, 0)
    first, second = (
        neighbours_votes(embeddings, given, np.arange(100), 8)[0] for given in (labels, hidden)
    )
    assert np.array_equal(first, second)


def small_project(folder, models):
    """A project whose small config has one variant and these models alone."""
    copy_project(folder)
    small = SMALL | {
        "demo": SMALL["demo"] | {"photos": 30, "per_emotion": 8},
        "faces": SMALL["faces"] | {"sample": None},
        "split": {"naming": 1},
        "models": dict.fromkeys(SMALL["models"]) | models,
        "variants": ["rgb"],
    }
    (folder / "small.yaml").write_text(yaml.safe_dump(small), encoding="utf-8")
    return folder


def test_the_rules_run_with_the_model_alone(tmp_path):
    own = {"read_triplets", "score_triplets", "triplets_table", "answer_by_neighbours"}
    stacked = {"stacked": SMALL["models"]["stacked"]}
    with_it = would_run(small_project(tmp_path / "with", stacked | {"triplet": SETTINGS}))
    assert own <= with_it and "classify" not in with_it
    assert would_run(small_project(tmp_path / "without", stacked)) == with_it - own - {
        "predict_by_classifier"
    }


@pytest.mark.slow
def test_the_workflow_makes_the_row(tmp_path):
    block = SETTINGS | {"phases": {"compare": BLOCK["phases"]["compare"] | {"epochs": 1}}}
    folder = small_project(tmp_path / "project", {"triplet": block})
    cell = folder / "results/rgb/triplet/seed0"
    snakemake(folder, "results/rgb/triplet/seed0/metrics.json", "results/triplets.md")
    votes, embeddings = (
        np.load(cell / f"{name}.npy") for name in ("probabilities", "labelled_embeddings")
    )
    assert embeddings.shape == (64, 16) and votes.shape == (64, 8)
    triplets = pd.read_parquet(folder / "results/fetch/triplets.parquet")
    lost = pd.read_csv(folder / "results/fetch/triplets_lost.csv")
    assert len(triplets) + lost["rows"].sum() == 120
    answers = pd.read_parquet(cell / "triplets.parquet")
    assert list(answers["row"]) == list(triplets.loc[triplets["part"] == "held_out", "row"])
    metrics = pd.read_json(cell / "triplets.json", typ="series")
    assert metrics["triplet_accuracy"] == answers["right"].mean()
    text = (folder / "results/triplets.md").read_text(encoding="utf-8")
    assert "| triplet | rgb |" in text and "annotators are simulated" in text
