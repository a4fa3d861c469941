"""Shards hold the pictures that are asked for, in that order, and nothing else."""

import base64
import json
import re

import pandas as pd
import pytest

from facesort.album.shards import write_shards
from facesort.archive.tables import PREVIEWS, THUMBNAILS
from facesort.common.job import InputError

NAMES = ["</script>.jpg", "b.jpg", "c.jpg"]


@pytest.fixture
def files(tmp_path):
    """Pictures of three photos, and two faces of each, in three files."""
    each = list(enumerate(NAMES))
    paths = [tmp_path / f"{n}.parquet" for n in range(3)]
    photos = pd.DataFrame({"photo": NAMES, "jpeg": [f"photo {n}".encode() for n in range(3)]})
    photos[:1].to_parquet(paths[0], schema=PREVIEWS)
    photos[1:].to_parquet(paths[1], schema=PREVIEWS)
    faces = [(name, face, f"{n} face {face}".encode()) for face in (0, 1) for n, name in each]
    pd.DataFrame(faces, columns=THUMBNAILS.names).to_parquet(paths[2], schema=THUMBNAILS)
    return paths


def test_each_shard_hands_over_its_pictures_in_order(tmp_path, files):
    keys = [[("c.jpg", None), (NAMES[0], 1), (NAMES[0], None)], [], [("b.jpg", 0)]]
    write_shards(tmp_path / "album", keys, files)
    handed = []
    for number in range(3):
        line = (tmp_path / f"album/{number}.js").read_text(encoding="ascii")
        at, text = json.loads("[" + re.fullmatch(r"shard\((.*)\)\n", line)[1] + "]")
        assert at == number
        handed.append([base64.b64decode(each).decode() for each in text.split("\n")])
    assert handed == [["photo 2", "0 face 1", "photo 0"], [""], ["1 face 0"]]
    assert len(list((tmp_path / "album").iterdir())) == 3


def test_a_picture_that_is_not_there_is_named(tmp_path, files):
    with pytest.raises(InputError, match=r"'b\.jpg' has no picture; delete"):
        write_shards(tmp_path / "album", [[("b.jpg", 2)]], files)
