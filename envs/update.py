"""Write envs/*.yaml from uv.lock: ``./run python envs/update.py``.

Conda gives Python and pip alone; every package comes from pip, pinned as in the lock.
"""

import subprocess
import tomllib
from pathlib import Path

from packaging.markers import Marker

ENVS = Path(__file__).resolve().parent


def environments() -> dict[str, str]:
    """The text of each environment file, by name: a dependency group of pyproject.toml each."""
    pyproject = tomllib.loads((ENVS.parent / "pyproject.toml").read_text(encoding="utf-8"))
    names = pyproject["tool"]["facesort"]["environments"]
    return {name: environment(name) for name in names}


def environment(group: str) -> str:
    export = [
        "uv",
        "export",
        "--frozen",
        "--quiet",
        "--only-group",
        group,
        "--project",
        ENVS.parent,
    ]
    plain = ["--no-hashes", "--no-header", "--no-annotate", "--no-emit-project"]
    result = subprocess.run([*export, *plain], check=True, capture_output=True, text=True)
    pins = "".join(
        f"      - {pin}\n" for line in result.stdout.splitlines() if (pin := for_311(line))
    )
    return (
        "# Made by envs/update.py from uv.lock.\n"
        "channels:\n  - conda-forge\n"
        "dependencies:\n  - python=3.11\n  - pip\n  - pip:\n" + pins
    )


def for_311(line: str) -> str | None:
    """A pin as Python 3.11 needs it: its marker dropped if always true, itself if never."""
    pin, _, marker = line.partition(" ; ")
    if not marker:
        return pin
    python = {"python_version": "3.11", "python_full_version": "3.11.9"}
    wanted = {
        Marker(marker).evaluate({**python, "sys_platform": system, "platform_machine": machine})
        for system in ("linux", "darwin", "win32")
        for machine in ("x86_64", "aarch64", "arm64", "AMD64")
    }
    return {True: pin, False: None}[wanted.pop()] if len(wanted) == 1 else line


if __name__ == "__main__":
    for name, text in environments().items():
        (ENVS / f"{name}.yaml").write_text(text, encoding="utf-8")
