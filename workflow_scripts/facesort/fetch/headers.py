"""What a host says in the headers of its answers."""

import email.utils
import time
from typing import Final

from multidict import CIMultiDictProxy

# Directives of X-Robots-Tag with a colon of their own, which names no crawler.
VALUED: Final = frozenset(
    {"unavailable_after", "max-snippet", "max-image-preview", "max-video-preview"}
)


def parse_retry_after(value: str | None) -> float | None:
    """Seconds to wait by a Retry-After header, which gives seconds or a date (RFC 9110, 10.2.3)."""
    if value is None:
        return None
    if value.strip().isdecimal():
        return float(value)
    try:
        return max(0.0, email.utils.parsedate_to_datetime(value).timestamp() - time.time())
    except (ValueError, OverflowError):
        return None


def forbids_ai(headers: CIMultiDictProxy[str], agent: str) -> bool:
    """Whether X-Robots-Tag says noai or noimageai, to all or to a crawler of this name."""
    for value in headers.getall("X-Robots-Tag", []):
        to_us = True
        for part in value.lower().split(","):
            name, colon, directive = part.partition(":")
            if colon and name.strip() not in VALUED:
                to_us, part = name.strip() == agent.lower(), directive
            if to_us and part.strip() in ("noai", "noimageai"):
                return True
    return False
