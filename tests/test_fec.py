"""The FEC reader: no face slot of any line is lost without a word."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from facesort.fec import Face, Refused, read_slots, sample_faces
from facesort.job import InputError

URL = '"http://farm1.staticflickr.com/{}.jpg?a=1,2"'


def line(number=0, boxes=(("0.1", "0.5", "0.2", "0.6"),) * 3, annotators=6):
    cells = []
    for slot, box in enumerate(boxes):
        cells += [URL.format(f"{number}_{slot}"), *box]
    return ",".join([*cells, "ONE_CLASS_TRIPLET", *["123,1"] * annotators])


@pytest.fixture
def csv(tmp_path):
    def write(text):
        path = tmp_path / "fec.csv"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return write


def test_rows_of_any_length_are_read(csv):
    path = csv("\n".join(line(n, annotators=6 + n % 5) for n in range(20)))
    faces, refused = sample_faces(path, None, 0)
    assert len(faces) == 60 and not len(refused)
    assert faces["url"].str.endswith("?a=1,2").all()
    assert set(faces["row"]) == set(range(1, 21)) and set(faces["slot"]) == {1, 2, 3}


def test_one_photo_may_hold_several_faces_and_a_face_occurs_once(csv):
    boxes = (("0", "0.4", "0", "0.5"), ("0.5", "0.9", "0", "0.5"), ("0", "0.4", "0", "0.5"))
    row = ",".join(f'"http://h/a.jpg",{",".join(box)}' for box in boxes) + ",X"
    faces, _ = sample_faces(csv(f"{row}\n{row}\n"), None, 0)
    assert len(faces) == 2 and faces["url"].nunique() == 1


def test_byte_order_mark_crlf_and_blank_lines(csv):
    path = csv(b"\xef\xbb\xbf" + line(1).encode() + b"\r\n\r\n" + line(2).encode() + b"\r\n")
    faces, refused = sample_faces(path, None, 0)
    assert len(faces) == 6 and not len(refused)
    assert set(faces["row"]) == {1, 3}


@pytest.mark.parametrize(
    ("box", "reason"),
    [
        (("0.5", "0.1", "0", "1"), "empty or reversed"),
        (("0.5", "0.5", "0", "1"), "empty or reversed"),
        (("nan", "0.5", "0", "1"), "not finite"),
        (("0", "inf", "0", "1"), "not finite"),
        (("1.1", "1.5", "0", "1"), "outside"),
        (("x", "0.5", "0", "1"), "no number"),
    ],
)
def test_bad_boxes_are_refused_with_row_and_slot(csv, box, reason):
    good = ("0.1", "0.5", "0.2", "0.6")
    _, refused = sample_faces(csv(line(0) + "\n" + line(1, (good, box, good))), None, 0)
    assert len(refused) == 1
    assert (refused["row"][0], refused["slot"][0]) == (2, 2)
    assert reason in refused["reason"][0]


def test_an_unbalanced_quote_costs_its_own_row_alone(csv):
    faces, refused = sample_faces(csv("\n".join([line(0), '"http://h/a.jpg', line(2)])), None, 0)
    assert set(faces["row"]) == {1, 3} and list(refused["row"]) == [2]


@pytest.mark.parametrize("text", ["", "a,b,c\n1,2,3\n", "\x00\x01\n", "url,left\n"])
def test_other_files_are_refused(csv, text):
    with pytest.raises(InputError, match="not an FEC file"):
        sample_faces(csv(text), None, 0)


def test_the_sample_is_seeded_and_ignores_the_order_of_rows(csv, tmp_path):
    rows = [line(n) for n in range(30)]
    one, _ = sample_faces(csv("\n".join(rows)), 20, 5)
    two, _ = sample_faces(csv("\n".join(rows[::-1])), 20, 5)
    assert list(one["face_id"]) == list(two["face_id"])
    other, _ = sample_faces(csv("\n".join(rows)), 20, 6)
    assert list(one["face_id"]) != list(other["face_id"])


cell = st.one_of(
    st.text(max_size=8), st.floats().map(str), st.just('"http://h/a.jpg"'), st.just("0.5")
)


@settings(max_examples=200)
@given(st.lists(st.lists(cell, max_size=20).map(",".join), max_size=6))
def test_every_slot_is_read_or_refused(tmp_path_factory, lines):
    path = tmp_path_factory.mktemp("fec") / "fec.csv"
    path.write_bytes("\n".join(lines).encode("utf-8", errors="replace"))
    seen = {}
    for slot in read_slots(path):
        assert isinstance(slot, Face | Refused)
        seen.setdefault(slot.row, []).append(slot.slot)
    for row, text in enumerate(path.read_bytes().split(b"\n"), start=1):
        if text.strip():
            assert seen.pop(row) in ([0], [1, 2, 3])
    assert not seen
