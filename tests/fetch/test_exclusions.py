"""Photos of the web that are left out: their list, the sample without them, what is erased."""

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
