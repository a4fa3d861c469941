"""What is read off a URL or an address without asking anyone."""

import ipaddress
from functools import lru_cache
from urllib.parse import urlsplit


@lru_cache(10_000)
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


def is_public(address: str) -> bool:
    """Whether an IP address belongs to the open internet, also if it wraps an IPv4 address."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        wrapped = ip.ipv4_mapped or ip.sixtofour
        if wrapped is None and ip in ipaddress.ip_network("64:ff9b::/96"):  # NAT64, RFC 6052
            wrapped = ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
        if wrapped is not None:
            return is_public(str(wrapped))
    return ip.is_global and not ip.is_multicast
