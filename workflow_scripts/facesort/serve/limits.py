"""What one request may ask for, and what to answer to one that asks for more."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """Each is an option of the command line.

    Attributes:
        bytes: of a request's body.
        photos: of a request.
        pixels: of a photo.
        seconds: that one photo may take to be read.
        held: bytes of all bodies that are held in memory at once; further requests are to wait.
    """

    bytes: int = 100_000_000
    photos: int = 20
    pixels: int = 100_000_000
    seconds: float = 30.0
    held: int = 600_000_000


class Refused(Exception):
    """A request, or a photo of it, that is not answered: HTTP's status, and why in one line."""

    def __init__(self, status: int, why: str) -> None:
        super().__init__(status, why)
        self.status, self.why = status, why
