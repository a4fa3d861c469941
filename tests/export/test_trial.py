"""Exported files on trial: counts, changes and their intervals, times."""

import numpy as np
import pytest

from facesort.export import trial
from facesort.export.trial import milliseconds, try_files


@pytest.fixture
def files(tmp_path, monkeypatch):
    """Three files whose answers are known: the second errs on one face, the third on half."""
    labels = np.arange(40) % 8
    wrong = {"float32": 0, "float16": 1, "int8": 20}

    class Session:
        def __init__(self, path):
            self.wrong = wrong[path.stem]

        def run(self, _, given):
            rows = given["faces"].ravel()
            told = np.eye(8, dtype=np.float32)[labels[rows % 40]]
            err = rows < self.wrong
            told[err] = np.roll(told[err], 1, axis=1)
            return [told]

    for name in wrong:
        (tmp_path / f"{name}.onnx").write_bytes(b"x" * (10 + wrong[name]))
    monkeypatch.setattr(trial, "session", Session)
    return tmp_path, labels


def test_scores_changes_and_equal_answers(files):
    folder, labels = files
    test, pool = ({"faces": np.arange(start, start + 40)[:, None]} for start in (0, 40))
    own = np.eye(8, dtype=np.float32)
    table, told = try_files(
        folder, test, labels, pool, lambda x: own[labels[x["faces"].ravel() % 40]]
    )
    assert (told.argmax(1) == labels).all() and told.shape == (40, 8)
    table = table.set_index("precision")
    assert table["bytes"].tolist() == [10, 11, 30]
    assert table["accuracy"].tolist() == [1, 39 / 40, 0.5]
    assert table["accuracy_change"].tolist() == pytest.approx([0, -1 / 40, -0.5])
    assert table["balanced_change"].tolist() == pytest.approx([0, -1 / 40, -0.5])
    assert table["equal"].tolist() == [1, 79 / 80, 60 / 80]
    assert (table["compared"] == 80).all() and (table["n"] == 40).all()
    assert table["furthest"].tolist() == [0, 1, 1]
    half = table.loc["int8"]
    assert half["accuracy_change_low"] < -0.5 < half["accuracy_change_high"] < 0
    assert (table[["ms_1", "ms_32"]] >= 0).all(axis=None)


def test_the_shortest_of_several_runs_counts(monkeypatch):
    clock = iter([0.0, 9.0, 10.0, 10.064])
    monkeypatch.setitem(trial.RUNS, 32, 2)
    monkeypatch.setattr(trial.time, "process_time", lambda: next(clock))
    seen = []
    took = milliseconds(lambda _, x: seen.append(len(x["faces"])), {"faces": np.zeros(50)}, 32)
    assert took == pytest.approx(2.0) and seen == [32, 32]
