"""Jobs that start warm: forked from a process that has imported their packages.

A hundred small jobs would each spend seconds on importing torch, scikit-learn or umap, more than
on their work. So the Snakefile of a local run puts ``start/`` on PYTHONPATH; each job's Python then
hands its script to a warm process of the job's environment, which is started by the first that
needs it, imports what the script and our modules import, and forks. The fork runs the script with
the job's own arguments, folder, environment variables and terminal. The job's own process waits,
ends with the fork's status, and takes the fork with it if it is killed. Warm processes end with
Snakemake's.

A module that is edited while a run goes on may count only for the next run, whose digests of code
name it.
"""

import atexit
import gc
import importlib
import marshal
import os
import runpy
import select
import shutil
import signal
import socket
import sys
import tempfile
import threading
import traceback
from contextlib import suppress
from pathlib import Path
from typing import Any, NoReturn

from facesort.common.digests import imported_names, with_imports

START = Path(__file__).resolve().parent / "start"


def offer(workflow: Any) -> None:
    """Let the jobs that this process will start begin warm; on Linux alone.

    Jobs of more threads than one start as ever, as no thread may be alive when a process forks; so
    do those of a cluster and in containers, which may have another machine.

    Args:
        workflow: Snakemake's, for ``onstart``.
    """
    methods = map(str, workflow.deployment_settings.deployment_method)
    if not workflow.local_exec or any("APPTAINER" in method.upper() for method in methods):
        return
    if not hasattr(os, "pidfd_open"):
        return
    # A folder that nobody else can enter: who reaches a socket in it runs code as this user.
    folder = Path(tempfile.mkdtemp(prefix="facesort-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    for rule in workflow.rules:
        if rule.script and rule.resources["_cores"].value == 1:
            environment = Path(str(rule.conda_env)).stem
            (folder / f"{Path(rule.script).stem}.script").write_text(environment, encoding="utf-8")
    os.environ["FACESORT_WARM"] = str(folder)
    os.environ["FACESORT_WARM_UNTIL"] = str(os.getpid())
    paths = [str(START), os.environ.get("PYTHONPATH", "")]
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, paths))


def serve(listener: socket.socket, until: int) -> None:
    """Fork a process for each script that is handed over, until a process has ended.

    Args:
        until: the number of that process, which is Snakemake's.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    over = os.pidfd_open(until)
    while over not in select.select([listener.fileno(), over], [], [])[0]:
        with suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass  # forks that have ended
        connection, _ = listener.accept()
        length, files, _, _ = socket.recv_fds(connection, 8, 3)
        about = _receive(connection, int.from_bytes(length, "big"))
        if about:
            script, folder, environment = marshal.loads(about)
            preload(Path(script))
            if not _threads() and os.fork() == 0:
                listener.close()
                os.close(over)
                _run(script, folder, environment, files, connection)
        connection.close()
        for file in files:
            os.close(file)


def preload(script: Path) -> None:
    """Import what a job's script and our modules behind it import, also within functions."""
    for path in with_imports(script):
        for name in sorted(imported_names(path)):
            with suppress(Exception):  # the script itself will say what is wrong
                importlib.import_module(name)
    # What lives now lives on; to look through it would copy its pages into each fork.
    gc.freeze()


def _threads() -> set[str]:
    """Names of threads that a fork would lose, and might then wait for without end."""
    tasks = sorted(Path("/proc/self/task").iterdir(), key=lambda task: int(task.name))
    names = {(task / "comm").read_text(encoding="utf-8").strip() for task in tasks[1:]}
    return names - {"jemalloc_bg_thd"}  # pyarrow's, which knows of forks


def _run(
    script: str,
    folder: str,
    environment: dict[str, str],
    files: list[int],
    connection: socket.socket,
) -> NoReturn:
    """Run a script in this fork as Python would, and tell its status."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for number, file in enumerate(files):
        os.dup2(file, number)
        os.close(file)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    sys.argv[:] = [script]
    sys.path[0] = str(Path(script).parent)
    threading.Thread(target=_end_with, args=(connection,), daemon=True).start()
    connection.send(b"+")
    status = 1
    try:
        runpy.run_path(script, run_name="__main__")
        status = 0
    except SystemExit as end:
        if isinstance(end.code, str):
            print(end.code, file=sys.stderr)
        status = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:
        traceback.print_exc()
    finally:
        atexit._run_exitfuncs()
        sys.stdout.flush()
        sys.stderr.flush()
        connection.send(bytes([status % 256]))
        os._exit(status % 256)


def _end_with(connection: socket.socket) -> None:
    """End this process when the job's own is gone."""
    with suppress(OSError):
        connection.recv(1)
    os.kill(os.getpid(), signal.SIGKILL)


def _receive(connection: socket.socket, length: int) -> bytes:
    """So many bytes; none if the other side goes before."""
    parts = bytearray()
    while len(parts) < length:
        part = connection.recv(length - len(parts))
        if not part:
            return b""
        parts += part
    return bytes(parts)


if __name__ == "__main__":
    serve(socket.socket(fileno=int(sys.argv[1])), int(os.environ["FACESORT_WARM_UNTIL"]))
