"""What was written is known again, and a file that is no ledger is named."""

import json

import pytest

from facesort.common.job import InputError
from facesort.sidecars.ledger import Ledger, Row, digest

ROW = Row(b"/a.xmp", "a.jpg", b"/", b"before", None, digest(b"before"), digest(b"after"), "{}")


def test_rows_are_kept_and_forgotten(tmp_path):
    path = tmp_path / "new" / "ledger.sqlite"
    wrote = {"dc:subject": (True, ["a"], []), "lr:hierarchicalSubject": (False, None, ["b"])}
    other = ROW._replace(path=b"/\xff.xmp", before=None, previous=None, wrote=json.dumps(wrote))
    with Ledger(path) as ledger:
        assert ledger.paths() == [] and ledger.get(b"/a.xmp") is None
        ledger.change([ROW, other])
    with Ledger(path) as ledger:
        assert ledger.get(b"/a.xmp") == ROW and ledger.paths() == [b"/a.xmp", b"/\xff.xmp"]
        assert ledger.get(other.path).written() == wrote
        ledger.change([ROW._replace(before=None)], [other.path])
        assert ledger.get(b"/a.xmp").before is None and ledger.paths() == [b"/a.xmp"]
        with pytest.raises(InputError, match="another run writes or undoes sidecars"):
            Ledger(path)


@pytest.mark.parametrize(("held", "ours"), [(b"before", 1), (b"after", 1), (b"x", 0), (None, 0)])
def test_a_sidecar_is_untouched_before_and_after_it_is_written(held, ours):
    assert ROW.untouched(held) == ours
    assert ROW._replace(previous=None).untouched(None)


def test_a_file_that_is_no_ledger_is_named(tmp_path):
    path = tmp_path / "ledger.sqlite"
    path.write_bytes(b"no database at all" * 100)
    with pytest.raises(InputError, match=r"ledger\.sqlite: damaged"):
        Ledger(path)
