"""The proxies that the environment names: HTTP_PROXY, HTTPS_PROXY, ALL_PROXY, and NO_PROXY.

Python's own reading of these variables, in either case of letters. Added is what other programs
take too: a proxy without ``http://``, and networks (10.0.0.0/8) and ``*.example.org`` in NO_PROXY.
"""

import ipaddress
import re
import urllib.request
from collections.abc import Collection
from functools import lru_cache
from typing import Final

from yarl import URL

from facesort.common.job import InputError

DEFAULT: Final = "all"


class Proxies:
    """The environment's proxies as they were when this was made.

    Args:
        direct: (address, port) pairs that no proxy is asked for.
    """

    def __init__(self, direct: Collection[tuple[str, int]] = ()) -> None:
        self.direct = frozenset(direct)
        self._named = urllib.request.getproxies_environment()
        parts = [part for part in re.split(r"[,\s]+", self._named.get("no", "")) if part]
        self._networks = [network for part in parts if (network := _network(part))]
        # Alone, a star stands for every host.
        names = [part if part == "*" else part.removeprefix("*") for part in parts]
        self._names = {"no": "*" if "*" in names else ",".join(names)}

    def of(self, url: URL) -> URL | None:
        """The proxy by which a URL is asked for; None if it is asked for directly.

        Raises:
            InputError: if a variable names what is no HTTP proxy. Its value, which may hold a
                password, is not shown.
        """
        key = url.scheme if url.scheme in self._named else DEFAULT
        if key not in self._named or self._is_direct(url.raw_host or "", url.port or 0):
            return None
        return _proxy(f"{key.upper()}_PROXY", self._named[key])

    def _is_direct(self, host: str, port: int) -> bool:
        if (host, port) in self.direct:
            return True
        bypass = urllib.request.proxy_bypass_environment  # type: ignore[attr-defined]
        if bypass(f"{host}:{port}", self._names):
            return True
        address = _network(host)
        return address is not None and any(
            address.version == network.version and address.subnet_of(network)  # type: ignore[arg-type]
            for network in self._networks
        )


def _network(text: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network | None:
    """A network or an address, which is a network of one; None for anything else."""
    try:
        return ipaddress.ip_network(text.strip("[]"), strict=False)
    except ValueError:
        return None


@lru_cache
def _proxy(variable: str, value: str) -> URL:
    try:
        proxy = URL(value if "://" in value else f"http://{value}")
    except ValueError:
        proxy = URL()
    if proxy.scheme.startswith("socks"):
        raise InputError(
            f"{variable} names a SOCKS proxy, which is not supported; name an HTTP proxy in "
            "HTTP_PROXY and HTTPS_PROXY"
        )
    if proxy.scheme not in ("http", "https") or not proxy.host:
        raise InputError(f"{variable} is not a proxy: write http://name:port")
    return proxy
