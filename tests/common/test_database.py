"""A SQLite file that one process holds: all of a transaction or nothing, errors in plain words."""

import sqlite3

import pytest

from facesort.common.database import connect, explained, transaction


def test_a_transaction_counts_all_together_or_not_at_all(tmp_path):
    database = connect(tmp_path / "a.sqlite")
    database.execute("CREATE TABLE faces (number INTEGER)")
    with transaction(database) as held:
        held.execute("INSERT INTO faces VALUES (1)")
    with pytest.raises(KeyboardInterrupt), transaction(database) as held:
        held.execute("INSERT INTO faces VALUES (2)")
        raise KeyboardInterrupt
    assert database.execute("SELECT number FROM faces").fetchall() == [(1,)]
    assert not database.in_transaction


def test_errors_say_what_helps(tmp_path):
    path = tmp_path / "a.sqlite"
    first = connect(path)
    with transaction(first) as held:
        held.execute("CREATE TABLE faces (number INTEGER)")
    with pytest.raises(sqlite3.OperationalError) as busy:
        connect(path)
    assert explained(busy.value, "wait", "delete it") == "wait"
    first.close()
    path.write_bytes(b"no database" * 100)
    with pytest.raises(sqlite3.DatabaseError) as damaged:
        connect(path)
    told = explained(damaged.value, "wait", "delete it")
    assert told == "damaged (file is not a database); delete it"
    assert explained(sqlite3.Error("odd"), "wait", "delete it") == "odd"
