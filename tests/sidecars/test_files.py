"""A sidecar is replaced as a whole, keeps its mode, and is left alone if it is not as it was."""

from pathlib import Path

import pytest

from facesort.archive.xmp import XmpError
from facesort.sidecars.files import _part, check_folder, clear, content, replace


def test_files_are_made_replaced_and_removed(tmp_path):
    file = tmp_path / "new" / ("n" * 240 + ".xmp")
    path = str(file)
    assert content(path) is None
    replace(path, b"one", None)
    file.chmod(0o604)
    replace(path, b"two", b"one")
    assert content(path) == b"two" and file.stat().st_mode & 0o777 == 0o604
    replace(path, None, b"two")
    assert content(path) is None and not [*file.parent.iterdir()]


@pytest.mark.parametrize("held", [None, b"other", b""])
def test_a_file_that_has_changed_is_left_alone(tmp_path, held):
    path = tmp_path / "a.xmp"
    path.write_bytes(b"now")
    for data in (b"new", None):
        with pytest.raises(XmpError, match="another program has changed it just now"):
            replace(str(path), data, held)
    assert [each.name for each in tmp_path.iterdir()] == ["a.xmp"] and path.read_bytes() == b"now"
    path.unlink()
    with pytest.raises(XmpError, match="another program has changed it just now"):
        replace(str(path), b"new", b"now")


def test_what_stops_writing_is_told(tmp_path):
    with pytest.raises(XmpError, match="cannot be read: File name too long"):
        replace(str(tmp_path / ("n" * 300)), b"", None)
    (tmp_path / "file").touch()
    with pytest.raises(XmpError, match="cannot be written: "):
        replace(str(tmp_path / "file" / "a.xmp"), b"", None)


def test_a_link_in_the_place_of_what_is_being_written_is_not_followed(tmp_path):
    path, other = str(tmp_path / "a.xmp"), tmp_path / "other"
    other.write_bytes(b"theirs")
    Path(_part(path)).symlink_to(other)
    replace(path, b"one", None)
    assert content(path) == b"one" and other.read_bytes() == b"theirs"
    Path(_part(path)).symlink_to(other)
    clear(path)
    assert sorted(each.name for each in tmp_path.iterdir()) == ["a.xmp", "other"]


def test_nothing_is_written_outside(tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "out").mkdir()
    (tmp_path / "in" / "link").symlink_to(tmp_path / "out")
    (tmp_path / "in" / "own").symlink_to(tmp_path / "in")
    for path in ("link/a.xmp", "../out/a.xmp"):
        with pytest.raises(XmpError, match="a link leads outside"):
            check_folder(str(tmp_path / "in" / path), str(tmp_path / "in"))
    for path in ("a.xmp", "own/a.xmp", "none/a.xmp"):
        check_folder(str(tmp_path / "in" / path), str(tmp_path / "in"))
