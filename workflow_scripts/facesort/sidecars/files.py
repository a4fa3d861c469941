"""Sidecars on disk: read with care, and replaced as a whole or not at all."""

import hashlib
import os
import stat
from contextlib import suppress

from facesort.archive.xmp import MOST_BYTES, XmpError


def content(path: str) -> bytes | None:
    """The bytes of a sidecar that may be replaced; None if there is none.

    Raises:
        XmpError: if it is none of ours to replace: a link, read-only, too large, no file.
    """
    try:
        about = os.lstat(path)
        if stat.S_ISLNK(about.st_mode):
            raise XmpError("a link; what it leads to is left alone")
        if not stat.S_ISREG(about.st_mode):
            raise XmpError("not a file")
        if not about.st_mode & 0o222:
            raise XmpError("read-only")
        if about.st_size > MOST_BYTES:
            raise XmpError(f"more than {MOST_BYTES:,} bytes")
        with os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW), "rb") as file:
            return file.read()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise XmpError(f"cannot be read: {error.strerror}") from None


def is_there(root: str) -> bool:
    """Whether a folder is there and holds anything: an empty one may be where a disk belongs."""
    try:
        with os.scandir(root) as found:
            return any(found)
    except OSError:
        return False


def check_folder(path: str, root: str) -> None:
    """Raises XmpError if a file's folder is read-only, or lies outside ``root`` behind links."""
    folder, root = os.path.realpath(os.path.dirname(path)), os.path.realpath(root)  # noqa: PTH120
    if os.path.commonpath([folder, root]) != root:
        raise XmpError(f"a link leads outside {root}")
    with suppress(FileNotFoundError):
        if not os.stat(folder).st_mode & 0o222:  # noqa: PTH116
            raise XmpError("its folder is read-only")


def replace(path: str, data: bytes | None, was: bytes | None) -> None:
    """Put bytes in a file's place at once; for None remove it.

    They are written beside it, and on the disk before they take its name.

    Args:
        was: what the file holds, None if there is none; if another program has changed it, it is
            left alone.

    Raises:
        XmpError: then, and if it cannot be written.
    """
    part = _part(path)
    try:
        clear(path)
        if data is not None:
            os.makedirs(os.path.dirname(path), exist_ok=True)  # noqa: PTH103, PTH120
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
            with os.fdopen(os.open(part, flags, 0o666), "wb") as file:
                if was is not None:
                    _take_after(file.fileno(), path)
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
        if content(path) != was:
            raise XmpError("another program has changed it just now; run again")
        if data is not None:
            os.replace(part, path)
        elif was is not None:
            os.unlink(path)  # noqa: PTH108
    except OSError as error:
        raise XmpError(f"cannot be written: {error.strerror}") from None
    finally:
        clear(path)


def clear(path: str) -> None:
    """Remove what a killed run was writing beside a sidecar."""
    with suppress(OSError):
        os.unlink(_part(path))  # noqa: PTH108


def _part(path: str) -> str:
    """Where a sidecar is written before it takes its name: hidden, beside it."""
    folder, name = os.path.split(path)
    digest = hashlib.sha256(os.fsencode(name)).hexdigest()[:16]
    return os.path.join(folder, f".facesort-{digest}.part")  # noqa: PTH118


def _take_after(descriptor: int, path: str) -> None:
    """Mode, and owner as far as we may, of the file that is replaced."""
    with suppress(FileNotFoundError, PermissionError):
        about = os.stat(path)  # noqa: PTH116
        os.fchmod(descriptor, stat.S_IMODE(about.st_mode))
        os.fchown(descriptor, about.st_uid, about.st_gid)
