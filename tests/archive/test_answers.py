"""Answers without labels: few faces are set against others' spread, many against their own."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch

from facesort.archive.answers import (
    ByModel,
    LabelFree,
    answer,
    model_features,
    sampled,
    strengths,
)
from facesort.archive.model_views import view_of
from facesort.archive.spread import (
    TURNS,
    WORTH,
    Standard,
    reference,
    shrunk,
    table_of,
    turns,
    without_turns,
)
from facesort.archive.tables import ANSWERS, FOUND_FACES, MOVEMENTS
from facesort.common.emotions import EMOTIONS
from facesort.common.job import InputError
from facesort.demo.dataset import portrait
from facesort.faces.face_mesh import FaceMesh
from facesort.faces.movements import movements
from facesort.train.models import build
from facesort.train.saving import save_model


@pytest.fixture(scope="module")
def rendered():
    """Strengths of movements of rendered faces, by emotion."""
    faces = [
        portrait(np.random.default_rng([7, number]), EMOTIONS[number % 8], 96)[0]
        for number in range(64)
    ]
    points, _ = FaceMesh(1).find(np.stack(faces))
    return movements(points).to_numpy(np.float64)


def found(values, states=None, seen=b""):
    """A job's table of faces with such strengths."""
    rows = pd.DataFrame(values, columns=list(MOVEMENTS))
    rows["photo"] = [f"{number:04d}.jpg" for number in range(len(rows))]
    rows["face"], rows["state"], rows["seen"] = 0, states or "answered", seen
    for name in FOUND_FACES.names:
        if name not in rows:
            rows[name] = 0.0
    return pa.Table.from_pandas(rows[FOUND_FACES.names], FOUND_FACES, preserve_index=False)


def test_emotions_of_rendered_faces_are_told_above_chance(rendered):
    told = LabelFree(rendered)(found(rendered))
    assert told.shape == (64, 8) and np.allclose(told.sum(1), 1)
    assert (told.argmax(1) == np.arange(64) % 8).mean() > 0.35
    # A face alone is answered too, by what is usual elsewhere.
    alone = LabelFree(rendered[:1])(found(rendered[:1]))
    assert np.isfinite(alone).all() and np.isfinite(LabelFree(rendered[:0])(found(rendered))).all()


def test_few_faces_are_drawn_to_others_and_many_are_not():
    rng = np.random.default_rng(0)
    others = reference("movement")
    names = list(MOVEMENTS)
    for faces, share in ((10, 10 / (10 + WORTH)), (20_000, 1)):
        values = rng.normal(5, 2, (faces, len(names)))
        median, spread = shrunk(values, "movement", names)
        expected = 5 * share + (1 - share) * others["median"]
        assert np.allclose(median, expected, atol=0.12 if share == 1 else 0.15)
        assert (spread > 0).all()
    median, spread = shrunk(np.zeros((0, len(names))), "movement", names)
    assert np.array_equal(median, others.loc[names, "median"])


def test_a_head_that_turns_changes_no_strength():
    slopes = reference("movement").loc[list(MOVEMENTS), list(TURNS)].to_numpy()
    values = np.zeros((5, len(MOVEMENTS)))
    values[:, MOVEMENTS.index("headYaw")] = [-30, -10, 0, 10, 30]
    moved = values + turns(values) @ slopes.T
    moved[:, [MOVEMENTS.index(name) for name in ("headYaw", "headPitch", "headRoll")]] = 0
    moved[:, MOVEMENTS.index("headYaw")] = [-30, -10, 0, 10, 30]
    level = np.delete(without_turns(moved), MOVEMENTS.index("headYaw"), axis=1)
    assert abs(level).max() < 1e-9
    assert (abs(Standard(values)(moved)) <= 4).all()


def test_the_table_of_an_archive_undoes_its_own_turns(rendered):
    model = build("action_units", (len(MOVEMENTS),), {"answer_by": ["prototypes"]})
    table = table_of(rendered, lambda standard: model_features(model, standard))
    assert list(table.columns) == ["kind", "name", "median", "spread", *TURNS]
    assert table["kind"].value_counts()["movement"] == len(MOVEMENTS)
    assert {*zip(table["kind"], table["name"], strict=True)} == {
        (kind, name) for kind in ("movement", "feature", "unit") for name in reference(kind).index
    }
    # Of set-against-itself movements the features' medians are near 0.
    features = table[(table["kind"] == "feature") & ~table["name"].str.contains("one side")]
    assert features["median"].abs().median() < 0.3


def test_a_trained_model_answers_by_what_it_sees(tmp_path, rendered):
    """A model of pictures, and one of movements; the clustering ones are refused."""
    training = {"precision": "float32", "sharding": False}
    settings = {"filters": 2, "blocks": [1], "dense": 4, "initializer": "he_uniform"}
    about = {"variant": "rgb", "emotions": ["happy", "sad"]}
    torch.manual_seed(0)
    model = build("supervised", (24, 24, 3), settings)
    shape = {"model": "supervised", "shape": (24, 24, 3), "settings": settings}
    save_model(tmp_path / "pictures", model, shape | about, [])
    tell = ByModel(str(tmp_path / "pictures"), training, True, rendered)
    picture = np.random.default_rng(0).integers(0, 255, (24, 24, 3), np.uint8)
    told = tell(found(rendered[:3], seen=picture.tobytes()))
    assert told.shape == (3, 8) and np.allclose(told.sum(1), 1) and np.allclose(told, told[0])
    known = [EMOTIONS.index(emotion) for emotion in about["emotions"]]
    assert told[:, known].sum() == pytest.approx(3)
    x = torch.from_numpy(picture[None]).permute(0, 3, 1, 2) / 255
    with torch.inference_mode():
        both = [model.eval().classify(each)[:, known].softmax(1) for each in (x, x.flip(3))]
    assert np.allclose(told[:1, known], (both[0] + both[1]) / 2, atol=1e-5)

    settings = {"answer_by": ["prototypes", "rendered_faces"]}
    model = build("action_units", (len(MOVEMENTS),), settings)
    shape = {"model": "action_units", "shape": (len(MOVEMENTS),), "settings": settings}
    everything = about | {"emotions": list(EMOTIONS)}
    save_model(tmp_path / "movements", model, shape | everything, [])
    told = ByModel(str(tmp_path / "movements"), training, False, rendered)(found(rendered))
    assert (told.argmax(1) == np.arange(64) % 8).mean() > 0.3

    save_model(tmp_path / "clusters", model, shape | everything | {"model": "stacked"}, [])
    with pytest.raises(InputError, match=r"stacked gives no probabilities .*archive\.model"):
        view_of(str(tmp_path / "clusters"))
    with pytest.raises(InputError, match=r"model\.json: "):
        view_of(str(tmp_path))


def test_answered_faces_alone_tell_the_spread_and_are_answered(tmp_path, rendered):
    states = ["answered" if number % 2 else "small" for number in range(64)]
    paths = [str(tmp_path / f"{job}.parquet") for job in range(2)]
    for path in paths:
        pq.write_table(found(rendered, states), path)
    empty = str(tmp_path / "empty.parquet")
    pq.write_table(FOUND_FACES.empty_table(), empty)
    sample = sampled([*paths, empty])
    assert np.allclose(sample, np.tile(rendered[1::2], (2, 1)), atol=1e-4)
    out = [str(tmp_path / f"answers{job}.parquet") for job in range(3)]
    assert answer([*paths, empty], out, LabelFree(sample)) == 64
    told = pq.read_table(out[0])
    assert told.schema.equals(ANSWERS)
    assert told["photo"].to_pylist() == [f"{number:04d}.jpg" for number in range(1, 64, 2)]
    assert pq.read_table(out[2]).num_rows == 0
    assert np.allclose(strengths(found(rendered)), rendered, atol=1e-4)
