"""Processes that read photos, one at a time each: one that dies or takes too long is replaced.

So a photo that makes a decoder crash, fill the memory or never end costs itself alone.
"""

import asyncio
import importlib
import multiprocessing
import os
import resource
import signal
import tempfile
import threading
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from typing import Any, Final

from facesort.serve.limits import Refused

# What a process may hold of its own, bytes: four photos of 100 megapixels beside the networks.
MEMORY: Final = 4_000_000_000
# Bytes of the folder for temporary files that leave room for a socket's name.
LONGEST: Final = 70


class Workers:
    """Some processes, and a queue before them.

    Args:
        count: of processes.
        seconds: that a call may take.
        module: whose functions are called. It is imported once, in a process that then forks
            all others, and not in this one; its ``start`` is called first in each.
        arguments: of ``start``.
    """

    def __init__(self, count: int, seconds: float, module: str, *arguments: Any) -> None:
        # The name of the forks' socket begins with this folder, and may have 107 bytes.
        if len(os.fsencode(tempfile.gettempdir())) > LONGEST:
            tempfile.tempdir = "/tmp"
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload([__name__, module])
        self.every = [_Worker(context, module, arguments) for _ in range(count)]
        self.seconds = seconds
        self._free: asyncio.Queue[_Worker] = asyncio.Queue()
        for worker in self.every:
            self._free.put_nowait(worker)

    async def ready(self) -> None:
        """Wait until all have started; raises what went wrong in one."""
        await asyncio.gather(*(asyncio.wrap_future(worker.pid) for worker in self.every))

    async def __call__(self, function: str, *arguments: Any) -> Any:
        """What a function of the module returns, in a process that is free.

        Raises:
            Refused: if the process dies over it or it takes too long; and what it raises.
        """
        worker = await self._free.get()
        try:
            return await worker.run(function, arguments, self.seconds)
        finally:
            self._free.put_nowait(worker)

    def stop(self) -> None:
        for worker in self.every:
            worker.end()


class _Worker:
    def __init__(self, context: Any, module: str, arguments: tuple[Any, ...]) -> None:
        how = {"mp_context": context, "initializer": _prepare, "initargs": (module, arguments)}
        self.module, self.how = module, how
        self.begin()

    def begin(self) -> None:
        self.pool = ProcessPoolExecutor(1, **self.how)
        self.pid: Future[int] = self.pool.submit(os.getpid)

    def end(self) -> None:
        if self.pid.done() and not self.pid.exception():
            with suppress(ProcessLookupError):
                os.kill(self.pid.result(), signal.SIGKILL)
        self.pool.shutdown(wait=False, cancel_futures=True)

    async def run(self, function: str, arguments: tuple[Any, ...], seconds: float) -> Any:
        try:
            await asyncio.wrap_future(self.pid)
            async with asyncio.timeout(seconds):
                call = self.pool.submit(_call, self.module, function, arguments)
                return await asyncio.wrap_future(call)
        except TimeoutError:
            why = f"it takes longer than {seconds:g} seconds to read"
        except BrokenProcessPool:
            why = "the process that reads photos died over it"
        self.end()
        self.begin()
        raise Refused(422, why)


def _prepare(module: str, arguments: tuple[Any, ...]) -> None:
    # Ctrl-C goes to all processes of a terminal; the server's own ends this one.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_DATA, (MEMORY, MEMORY))
    # Decoders complain of hostile files there, without an end.
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    _call(module, "start", arguments)


def _call(module: str, function: str, arguments: tuple[Any, ...]) -> Any:
    return getattr(importlib.import_module(module), function)(*arguments)


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent:
        parent.join()
        os._exit(0)
