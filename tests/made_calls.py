"""What a process of ``facesort.serve.workers`` is asked to do, in its tests."""

import os
import time

_started = ()


def start(*arguments):
    global _started
    if "broken" in arguments:
        raise ValueError("it does not start")
    _started = arguments


def started():
    return _started


def process(seconds=0.0):
    time.sleep(seconds)
    return os.getpid()


def end():
    os._exit(3)


def fill():
    """More memory than a process may have."""
    return len(bytearray(6_000_000_000))


def refuse():
    from facesort.serve.limits import Refused

    raise Refused(415, "no photo")
