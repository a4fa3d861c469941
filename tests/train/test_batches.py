"""Batches hold what they should, without mapping the file that they come from."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from facesort.common.arrays import create_array, open_array, read_blocks, rows_at_once
from facesort.common.job import InputError
from facesort.train.batches import FaceReader, read_batches, shuffled_batches, to_input

SCRIPTS = Path(__file__).parents[2] / "workflow_scripts"
CPU = torch.device("cpu")


@pytest.fixture
def faces(tmp_path):
    with create_array(tmp_path / "faces.npy", (50, 6, 5, 3), "uint8") as array:
        array[:] = np.random.default_rng(0).integers(0, 256, array.shape)
    return open_array(tmp_path / "faces.npy")


def test_batches_hold_every_row_once():
    rows = np.arange(10, 45)
    batches = shuffled_batches(rows, 8, [1, 2])
    assert np.array_equal(np.sort(np.concatenate(batches)), rows)
    assert not np.array_equal(np.concatenate(batches), rows)


def test_input_is_scaled_and_channels_first():
    faces = np.array([0, 255], np.uint8).reshape(1, 1, 2, 1)
    assert to_input(faces, CPU).tolist() == [[[[0.0, 1.0]]]]


@pytest.mark.parametrize("rows", [[3], [0, 7, 49], list(range(50))])
def test_reading_equals_indexing_for_files_and_for_arrays(faces, rows):
    expected = np.array(faces)[rows]
    assert np.array_equal(FaceReader(faces).read(np.array(rows)), expected)
    assert np.array_equal(FaceReader(np.array(faces)).read(np.array(rows)), expected)


def test_a_part_of_a_mapped_array_has_its_own_rows(faces):
    assert np.array_equal(FaceReader(faces[10:]).read(np.array([0, 2])), np.array(faces)[[10, 12]])


def test_batches_come_in_order_with_their_faces(faces):
    batches = shuffled_batches(np.arange(50), 8, [0])
    seen = list(read_batches(faces, batches, CPU))
    assert len(seen) == len(batches) == 7
    for rows, (got, x) in zip(batches, seen, strict=True):
        assert np.array_equal(rows, got)
        assert torch.equal(x, to_input(np.array(faces)[rows], CPU))
        assert x.is_contiguous(memory_format=torch.channels_last)


def test_a_file_cut_short_is_named(faces, tmp_path):
    with (tmp_path / "faces.npy").open("r+b") as file:
        file.truncate(2000)
    with pytest.raises(InputError, match=r"faces\.npy: ends before face"):
        list(read_batches(faces, [np.array([0, 49])], CPU))


@pytest.mark.parametrize("at_once", [400, None])
def test_blocks_hold_just_the_rows_asked_for(tmp_path, at_once):
    array = np.random.default_rng(0).normal(size=(700, 60, 10)).astype("f4")
    np.save(tmp_path / "a.npy", array)
    for rows in (np.arange(700), np.array([0, 3, 699]), np.array([], int), None):
        read = list(read_blocks(tmp_path / "a.npy", rows, at_once))
        assert len(read) == (2 if at_once else 1)
        assert np.array_equal(np.concatenate(read), array if rows is None else array[rows])


def test_large_rows_are_read_fewer_at_once():
    sizes = (0, 6_912, 120_000, 3 * 1024 * 1024, 10**9)
    assert [rows_at_once(size, 1024) for size in sizes] == [1024, 1024, 533, 20, 1]


READ_ALL = r"""
import re, sys
from pathlib import Path
from facesort.common.arrays import read_blocks
faces = sum(len(block) for block in read_blocks(sys.argv[1]))
print(faces, re.search(r"VmHWM:\s*(\d+)", Path("/proc/self/status").read_text())[1])
"""


def test_blocks_of_a_large_file_take_little_memory(tmp_path):
    # A sparse file: it takes no disk.
    np.lib.format.open_memmap(tmp_path / "faces.npy", "w+", np.uint8, (5_000, 200, 200, 3))
    done = subprocess.run(
        [sys.executable, "-c", READ_ALL, tmp_path / "faces.npy"],
        env=os.environ | {"PYTHONPATH": str(SCRIPTS)},
        capture_output=True,
        text=True,
        check=True,
    )
    faces, kilobytes = map(int, done.stdout.split())
    assert faces == 5_000
    assert kilobytes < 400_000, "the file has 600,000"
