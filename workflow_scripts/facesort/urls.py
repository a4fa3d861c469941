"""What is read off a URL without asking anyone."""

from urllib.parse import urlsplit


def host_of(url: str) -> str:
    """The host of a URL, lower case, without port or final dot; empty if it has none."""
    try:
        return (urlsplit(url).hostname or "").removesuffix(".")
    except ValueError:
        return ""


def photo_key(url: str) -> str:
    """What two spellings of one photo's URL have in common: http and https, the host's case."""
    _, _, rest = url.partition("://")
    host, slash, path = rest.partition("#")[0].partition("/")
    return host.lower() + slash + path
