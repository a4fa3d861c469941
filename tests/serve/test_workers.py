"""Processes that may die: what one does to others, and how it is replaced."""

import asyncio
import os
import subprocess
import sys
import time

import psutil
import pytest
from small_run import ROOT

from facesort.serve.limits import Refused
from facesort.serve.workers import Workers


def run(calls, count=2, seconds=5.0, arguments=("a", 1)):
    """What calls give, all at once; errors in their place."""

    async def every():
        workers = Workers(count, seconds, "made_calls", *arguments)
        try:
            await workers.ready()
            first = await asyncio.gather(
                *(workers(*call) for call in calls), return_exceptions=True
            )
            return first, await workers("process")
        finally:
            workers.stop()

    return asyncio.run(every())


def test_calls_share_the_processes_that_have_been_started():
    found, _ = run([("process", 0.2)] * 6 + [("started",)])
    assert len(set(found[:6])) == 2 and os.getpid() not in found
    assert found[6] == ("a", 1)


def test_one_that_dies_costs_its_own_call_alone():
    found, after = run([("process", 0.5), ("end",), ("process",), ("process",)])
    assert isinstance(found[1], Refused) and "died" in found[1].why and found[1].status == 422
    assert all(isinstance(pid, int) for pid in [found[0], *found[2:]])
    assert isinstance(after, int)


def test_one_that_takes_too_long_is_ended():
    began = time.monotonic()
    found, _ = run([("process", 60.0), ("process",)], count=1, seconds=1.0)
    assert "longer than 1 seconds" in found[0].why and isinstance(found[1], int)
    assert time.monotonic() - began < 30


def test_errors_and_a_full_memory_leave_a_process_alive():
    found, after = run([("refuse",), ("fill",), ("process",)], count=1)
    assert (found[0].status, found[0].why) == (415, "no photo")
    assert isinstance(found[1], MemoryError)
    assert found[2] == after


def test_one_that_does_not_start_is_told():
    with pytest.raises(Exception, match=r"terminated|does not start|broken"):
        run([], arguments=("broken",))


def test_they_end_with_the_process_that_started_them():
    program = """
import asyncio, os, sys
from facesort.serve.workers import Workers

async def main():
    workers = Workers(2, 5.0, "made_calls")
    print(*await asyncio.gather(workers("process", 0.5), workers("process", 0.5)), flush=True)
    os.kill(os.getpid(), 9)

if __name__ == "__main__":
    asyncio.run(main())
"""
    paths = os.pathsep.join([str(ROOT / "workflow_scripts"), str(ROOT / "tests")])
    environment = os.environ | {"PYTHONPATH": paths}
    done = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True
    )
    processes = [int(pid) for pid in done.stdout.split()]
    assert len(set(processes)) == 2, done.stderr
    end = time.monotonic() + 10
    while any(map(psutil.pid_exists, processes)):
        assert time.monotonic() < end
        time.sleep(0.1)
