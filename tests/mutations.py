"""Bytes spoilt at random, for tests of readers of files of any format."""

JUNK = (b"", b"\xff", b"\0" * 4, b"\x7f\xff\xff\xff", b'"', b",", b"\n", b"\\", b"..", b"sad", b"9")
JUNK += (b"-1", b"\xe2\x80\xae")


def mutated(data, chance):
    """Bytes changed, cut out, doubled or put in, at one to three places, or at thirty.

    Args:
        chance: a ``random.Random``.
    """
    for _ in range(chance.choice([1, 1, 2, 3, 30])):
        at = chance.randrange(len(data) + 1)
        until = min(len(data), at + chance.choice([0, 1, 2, 10, 60]))
        new = chance.choice([*JUNK, data[at:until] * 2, chance.randbytes(1), chance.randbytes(40)])
        data = data[:at] + new + data[until:]
    return data
