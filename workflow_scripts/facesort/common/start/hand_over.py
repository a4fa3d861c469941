"""A job's script handed to a warm process: the job's side of ``facesort/common/warm.py``.

A hundred jobs start here, so little is imported.
"""

import fcntl
import marshal
import os
import signal
import socket
import sys
from zlib import crc32


def hand_over(folder: str, script: str) -> None:
    """Have a warm process run the script, and end with its status; return where that cannot be."""
    # Only jobs of one thread, so that no thread is alive when a process forks.
    if os.environ.get("OMP_NUM_THREADS") != "1":
        return
    try:
        name = os.path.basename(script).split(".")[1]
        with open(os.path.join(folder, f"{name}.script"), encoding="utf-8") as file:
            connection = connect(folder, file.read())
        about = marshal.dumps((script, os.getcwd(), dict(os.environ)))
        socket.send_fds(connection, [len(about).to_bytes(8, "big")], [0, 1, 2])
        connection.sendall(about)
        if connection.recv(1) != b"+":
            return
        # Ctrl-C reaches the fork too, whose end is waited for.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    except (OSError, IndexError):
        return
    except KeyboardInterrupt:
        os._exit(130)
    status = connection.recv(1)
    # Without a status it was killed.
    os._exit(status[0] if status else 137)


def connect(folder: str, environment: str) -> socket.socket:
    """Connect to the warm process of an environment, and start it if there is none."""
    # With --use-conda each environment has a Python of its own.
    name = f"{crc32(f'{environment} {sys.executable}'.encode()):x}"
    # Through /proc, as the path of a socket may have no more than 107 bytes.
    inside = os.open(folder, os.O_RDONLY)
    path = f"/proc/self/fd/{inside}/{name}"
    connection = socket.socket(socket.AF_UNIX)
    try:
        with open(f"{path}.lock", "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            try:
                connection.connect(path)
            except OSError:
                start(path)
                connection.connect(path)
    finally:
        os.close(inside)
    return connection


def start(path: str) -> None:
    """Start a warm process that listens at a path."""
    import subprocess
    from pathlib import Path

    Path(path).unlink(missing_ok=True)
    # Bound here: whoever comes while it still imports waits in the queue.
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        listener.listen(64)
        subprocess.Popen(
            [sys.executable, "-m", "facesort.common.warm", str(listener.fileno())],
            pass_fds=[listener.fileno()],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[3])},
        )
