"""Photos of the web that are left out: their list, the sample without them, what is erased."""

import os
import sqlite3
from contextlib import closing

import numpy as np
import pandas as pd
import pytest

from facesort.common.job import InputError
from facesort.fetch.exclusions import erase, read_exclusions, without
from facesort.fetch.journal import Entry, Journal

SIZE = 8
URLS = [f"http://{host}.org/{name}.jpg" for host in "ab" for name in "12"]


def crop(number):
    return np.random.default_rng(number).integers(0, 256, (SIZE, SIZE, 3), np.uint8)


def keep(state, url, sha256, face_id, final_url=None, size=SIZE):
    with Journal(state, size) as journal:
        entry = Entry(url, "fetched", 200, 1, 9, sha256, 64, 64, final_url=final_url)
        pixels = crop(int(face_id)) if size == SIZE else np.zeros((size, size, 3), np.uint8)
        journal.add(entry, {face_id: pixels})


def bytes_of(state):
    return b"".join(path.read_bytes() for path in sorted(state.rglob("*")) if path.is_file())


def test_lists_are_checked_and_lines_named_by_number_alone(tmp_path):
    path = tmp_path / "no.txt"
    path.write_bytes(b"\xef\xbb\xbf# asked to\r\n\r\nHTTPS://A.org/1.jpg\r\n")
    assert read_exclusions(path) == {"a.org/1.jpg"}
    path.write_text("http://a.org/1.jpg\na secret name\n")
    with pytest.raises(InputError, match=r"no\.txt, row 2: .*fetch\.exclude") as raised:
        read_exclusions(path)
    assert "secret" not in str(raised.value)
    with pytest.raises(InputError, match=r"fetch\.exclude"):
        read_exclusions(tmp_path / "none.txt")
    assert read_exclusions(None) == set()


def test_a_sample_keeps_all_other_faces_as_they_were():
    faces = pd.DataFrame({"face_id": list("cab"), "url": [URLS[0], URLS[1], URLS[0]]})
    left = without(faces, {"a.org/1.jpg"})
    assert left.to_dict("list") == {"face_id": ["a"], "url": [URLS[1]]}
    assert without(faces, set()).equals(faces)
    with pytest.raises(InputError, match="leaves out every face"):
        without(faces, {"a.org/1.jpg", "a.org/2.jpg"})


def test_a_photo_is_erased_from_journals_of_all_sizes(tmp_path):
    """Its rows, its crops, the photo as it was kept; of other photos everything stays."""
    state, photos = tmp_path / "state", tmp_path / "photos"
    photos.mkdir()
    for number, url in enumerate(URLS):
        keep(state, url, f"{number:064d}", str(number))
        (photos / f"{number:064d}").write_bytes(b"photo")
    keep(state, URLS[0], f"{0:064d}", "9", size=16)
    # The same bytes at another address, and an address from which a redirect led to the first.
    keep(state, "http://b.org/copy.jpg", f"{1:064d}", "5")
    keep(state, "http://a.org/to", f"{7:064d}", "7", final_url=URLS[0])
    gone = [URLS[0], URLS[1], "http://a.org/to", f"{0:064d}", f"{7:064d}"]
    traces = [*(each.encode() for each in gone), *(crop(n).tobytes() for n in (0, 1, 7))]
    others = [*(each.encode() for each in URLS[2:]), *(crop(n).tobytes() for n in (2, 3, 5))]
    before = bytes_of(state)
    assert all(each in before for each in traces + others)
    assert erase(state, {"a.org/1.jpg", "a.org/2.jpg"}, ["2", "3", "5", "7"], str(photos)) == 3
    after = bytes_of(state)
    assert [each for each in traces if each in after] == []
    assert all(each in after for each in others)
    # A photo that another address has too is kept.
    assert sorted(path.name[-1] for path in photos.iterdir()) == ["1", "2", "3"]
    assert erase(state, {"a.org/1.jpg", "a.org/2.jpg"}, [], None) == 0
    assert erase(state, set(), [], None) == 0
    assert erase(tmp_path / "nowhere", {"a.org/1.jpg"}, [], None) == 0


def test_a_copy_that_stays_keeps_its_faces(tmp_path):
    state = tmp_path / "state"
    keep(state, URLS[0], "0" * 64, "0")
    keep(state, URLS[1], "0" * 64, "1")
    assert erase(state, {"a.org/1.jpg"}, ["1"], None) == 1
    with Journal(state, SIZE) as journal:
        assert [*journal.stored([("0", URLS[0]), ("1", URLS[1])])] == ["1"]
        assert np.array_equal(journal.crops([("1", URLS[1])])["1"].pixels, crop(1))


def lose(journal):
    """What became of the first photo since: it is gone."""
    journal.add(Entry(URLS[0], "failed", 404, error="status 404"), {})


def change(journal):
    journal.add(Entry(URLS[0], "failed", 200, 1, 9, "5" * 64, error="other bytes"), {})


def grow(journal):
    """More faces of it are asked for: all are stored anew."""
    photo = Entry(URLS[0], "fetched", 200, 1, 9, "0" * 64, 64, 64)
    journal.add(photo, {"0": crop(0), "8": crop(8)})


def forget(journal):
    """By a run that asks for fewer of its faces."""
    journal.drop(URLS[0], [])


def kill(journal):
    """A process that is killed after it wrote a face, and before it told of it; others did."""
    journal._file(0).append(crop(8).tobytes())
    journal.add(Entry(URLS[3], "fetched", 200, 1, 9, "3" * 64, 64, 64), {"3": crop(3)})


@pytest.mark.parametrize("since", [lose, change, grow, forget, kill])
def test_whatever_became_of_a_photo_since_no_byte_of_it_stays(tmp_path, monkeypatch, since):
    monkeypatch.setattr("facesort.fetch.journal.bucket_of", lambda host: 0)
    state, photos = tmp_path / "state", tmp_path / "photos"
    photos.mkdir()
    for digest in ("0" * 64, "2" * 64):
        (photos / digest).write_bytes(b"photo")
    keep(state, URLS[0], "0" * 64, "0")
    with Journal(state, SIZE, [0]) as journal:
        since(journal)
    keep(state, URLS[2], "2" * 64, "2")
    assert crop(2).tobytes() in bytes_of(state)
    assert erase(state, {"a.org/1.jpg"}, ["2"], str(photos)) == 1
    after = bytes_of(state)
    assert not any(each in after for each in (crop(0).tobytes(), crop(8).tobytes(), b"a.org"))
    with Journal(state, SIZE, [0]) as journal:
        assert np.array_equal(journal.crops([("2", URLS[2])])["2"].pixels, crop(2))
    assert [path.name for path in photos.iterdir()] == ["2" * 64]


def test_journals_of_older_versions_lose_faces_whose_photo_is_unknown(tmp_path):
    state = tmp_path / "state"
    for number, url in enumerate(URLS):
        keep(state, url, f"{number:064d}", str(number))
    for path in state.rglob("*.sqlite"):
        with closing(sqlite3.connect(path)) as db:
            db.execute("ALTER TABLE crops DROP COLUMN url")
    assert erase(state, {"a.org/1.jpg"}, ["1", "2", "3"], None) == 1
    assert crop(0).tobytes() not in bytes_of(state)
    with Journal(state, SIZE) as journal:
        faces = [(str(number), url) for number, url in enumerate(URLS)]
        assert sorted(journal.crops(faces)) == ["1", "2", "3"]


def test_kept_photos_go_with_their_parts_unless_another_size_has_them(tmp_path):
    state, photos = tmp_path / "state", tmp_path / "photos"
    photos.mkdir()
    keep(state, URLS[0], "0" * 64, "0")
    keep(state, URLS[1], "1" * 64, "1")
    # The same bytes elsewhere, at another size alone.
    keep(state, "http://b.org/copy.jpg", "1" * 64, "5", size=16)
    mine = f"{'0' * 64}-mine.txt"
    for name in ("0" * 64, f"{'0' * 64}.{os.getpid()}.part", mine, "1" * 64):
        (photos / name).write_bytes(b"photo")
    assert erase(state, {"a.org/1.jpg", "a.org/2.jpg"}, [], str(photos)) == 2
    assert sorted(path.name for path in photos.iterdir()) == [mine, "1" * 64]


def test_a_journal_knows_a_photo_until_its_file_is_gone(tmp_path):
    state, photos = tmp_path / "state", tmp_path / "photos"
    keep(state, URLS[0], "0" * 64, "0")
    (photos / ("0" * 64)).mkdir(parents=True)
    with pytest.raises(InputError, match=r"photos: .*fetch\.keep_photos"):
        erase(state, {"a.org/1.jpg"}, [], str(photos))
    assert b"a.org/1" in bytes_of(state)
    (photos / ("0" * 64)).rmdir()
    assert erase(state, {"a.org/1.jpg"}, [], str(photos)) == 1
    assert b"a.org/1" not in bytes_of(state)
