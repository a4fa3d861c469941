"""Where a training stands, on disk: written now and then, read back by the run after a stop."""

import os
import time
from pathlib import Path
from typing import Any

import torch

# A checkpoint of the stacked autoencoder at the paper's size has 6 GB; writing may take up at most
# this share of the time.
WRITING_SHARE = 0.05


class Checkpoint:
    """A file that holds the latest state of one run.

    Args:
        path: of the file; replaced as a whole.
        identity: whatever must be equal for a checkpoint to be this run's own (data, settings,
            code, seed); another run's is ignored.
        minutes: time between two checkpoints; 0 writes one whenever asked.
    """

    def __init__(self, path: Path, identity: str, minutes: float) -> None:
        self.path, self.identity, self.wait = path, identity, 60 * minutes
        self.written = time.monotonic()

    def due(self) -> bool:
        return time.monotonic() - self.written >= self.wait

    def save(self, state: dict[str, Any]) -> None:
        """Write the state. A full disk loses the checkpoint, not the training: one line says so."""
        began = time.monotonic()
        part = self.path.with_name(self.path.name + ".part")
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with part.open("wb") as file:
                torch.save({"identity": self.identity, **state}, file)
            os.replace(part, self.path)
        except (OSError, RuntimeError) as error:  # torch wraps some of the errors of writing
            part.unlink(missing_ok=True)
            reason = str(error.__cause__ or error).splitlines()[0]
            print(
                f"warning: {self.path}: this checkpoint could not be written ({reason}); training "
                "goes on, but a stop would lose the work since the last checkpoint"
            )
        self.written = time.monotonic()
        self.wait = max(self.wait, (self.written - began) / WRITING_SHARE if self.wait else 0)

    def load(self) -> dict[str, Any] | None:
        """The state of this very run; anything else (foreign, cut short) counts as none.

        Nothing in the file is ever run as code.

        Raises:
            OSError, MemoryError: if the machine is at fault. To start afresh would then overwrite
                a good checkpoint.
        """
        try:
            saved: dict[str, Any] = torch.load(self.path, map_location="cpu", weights_only=True)
            return saved if saved["identity"] == self.identity else None
        except FileNotFoundError:
            return None
        except MemoryError:
            raise
        except Exception as error:
            if isinstance(error, OSError) and error.errno:
                raise
            print(f"{self.path}: not a readable checkpoint ({type(error).__name__}); starting over")
            return None
