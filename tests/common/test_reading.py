"""Small results read back, and what damaged ones are answered with."""

import pytest

from facesort.common.job import InputError
from facesort.common.reading import read_json, read_table


def test_what_was_written_is_read(tmp_path):
    (tmp_path / "a.csv").write_text("a,b\n1,x\n")
    (tmp_path / "a.json").write_text('{"a": 1}\n')
    assert read_table(tmp_path / "a.csv", "a", "b").to_dict("records") == [{"a": 1, "b": "x"}]
    assert read_json(tmp_path / "a.json") == {"a": 1}


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"", "cut short"),
        (b"a,b\n1,", "cut short"),
        (b"a,c\n1,x\n", "no column b"),
        (b'a,b\n"1,x\n', "not a readable CSV"),
        (b"a,b\n\xff,x\n", "not a readable CSV"),
    ],
)
def test_a_damaged_table_is_named(tmp_path, content, complaint):
    path = tmp_path / "a.csv"
    path.write_bytes(content)
    with pytest.raises(InputError, match=f"a.csv: .*{complaint}.*; delete it and rerun"):
        read_table(path, "a", "b")


@pytest.mark.parametrize("content", [b"", b'{"a": ', b"[1]", b"\xff"])
def test_damaged_json_is_named(tmp_path, content):
    path = tmp_path / "a.json"
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"a.json: not readable JSON .*; delete it and rerun"):
        read_json(path)
