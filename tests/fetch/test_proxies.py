"""Proxies of the environment: used, passed by where that is asked, and never a way inside."""

import base64
import select
import socket
import ssl
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest
from test_download import Site, faces_of, fetch, picture, serving, square
from yarl import URL

from facesort.common.job import InputError
from facesort.fetch.proxies import Proxies

SECRET = "p%40ss-of-the-proxy"
PUBLIC = "93.184.215.14"
# What names stand for; others cannot be looked up here.
NAMES = {"public.example": PUBLIC, "inside.example": "10.1.2.3", "localhost": "127.0.0.1"}


@pytest.fixture(autouse=True)
def names(monkeypatch):
    """Names are looked up in ``NAMES`` alone, whatever this machine's network knows."""
    look_up = socket.getaddrinfo

    def getaddrinfo(host, *arguments, **options):
        if isinstance(host, str) and host.endswith("example") and host not in NAMES:
            raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")
        return look_up(NAMES.get(host, host), *arguments, **options)

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)


@pytest.fixture
def proxy():
    """A server that is asked for whole URLs."""
    with serving(Site()) as proxy:
        yield proxy


@pytest.mark.parametrize("variable", ["http_proxy", "HTTP_PROXY", "ALL_PROXY", "all_proxy"])
def test_photos_come_by_the_proxy(proxy, tmp_path, monkeypatch, variable):
    """Also names that only the proxy can look up; robots.txt and redirects too."""
    host = "http://photos.example"
    proxy.pages |= {f"{host}/{i}.jpg": picture(i) for i in range(3)}
    proxy.pages[f"{host}/moved.jpg"] = lambda page: page.say(302, Location="/2.jpg")
    proxy.pages[f"{host}/robots.txt"] = b"User-agent: *\nDisallow: /0.jpg\n"
    proxy.pages["http://public.example/1.jpg"] = picture(7)
    monkeypatch.setenv(
        variable, proxy.url.removeprefix("http://") if "ALL" in variable else proxy.url
    )
    urls = [f"{host}/{i}.jpg" for i in range(3)] + [f"{host}/moved.jpg"]
    urls.append("http://public.example/1.jpg")
    ledger, array, _, _ = fetch(faces_of(urls), tmp_path, allow_private=False)
    assert ledger["error"].dropna().to_dict() == {f"{host}/0.jpg": "robots.txt forbids"}
    assert np.array_equal(array, [square(picture(i)) for i in (1, 2, 2, 7)])
    assert proxy.asked[f"{host}/0.jpg"] == 0


def test_name_and_password_are_given_to_the_proxy_and_to_nobody_else(
    proxy, tmp_path, monkeypatch, capfd
):
    given = []

    def page(page):
        given.append(page.headers["Proxy-Authorization"])
        page.say(407 if page.path.endswith("lost.jpg") else 200, picture(1))

    proxy.pages |= {f"http://public.example/{name}.jpg": page for name in ("1", "lost")}
    monkeypatch.setenv("http_proxy", proxy.url.replace("://", f"://me:{SECRET}@"))
    urls = [f"http://public.example/{name}.jpg" for name in ("1", "lost")]
    ledger, *_ = fetch(faces_of(urls), tmp_path)
    assert set(given) == {"Basic " + base64.b64encode(b"me:p@ss-of-the-proxy").decode()}
    with pytest.raises(InputError, match=r"status 407 \(1\); see .*HTTP_PROXY") as told:
        fetch(faces_of(urls[1:]), tmp_path / "other")
    monkeypatch.setenv("http_proxy", f"socks5://me:{SECRET}@127.0.0.1:1080")
    with pytest.raises(InputError, match="HTTP_PROXY names a SOCKS proxy") as refused:
        fetch(faces_of(urls), tmp_path / "third")
    monkeypatch.setenv("http_proxy", f"me:{SECRET}@:x")
    with pytest.raises(InputError, match="HTTP_PROXY is not a proxy") as wrong:
        fetch(faces_of(urls), tmp_path / "fourth")
    for text in (*capfd.readouterr(), ledger.to_csv(), told, refused, wrong):
        assert "ss-of-the-proxy" not in str(text)


def test_private_addresses_stay_refused_as_far_as_this_machine_can_tell(
    proxy, tmp_path, monkeypatch
):
    inside = ["127.0.0.1:9", "127.1", "2130706433", "10.0.0.1", "[::1]", "[::ffff:10.0.0.1]"]
    inside += ["localhost", "inside.example"]
    urls = [f"http://{host}/secret.jpg" for host in inside]
    proxy.pages |= {url: picture(1) for url in urls}
    proxy.pages["http://public.example/good.jpg"] = picture(2)
    proxy.pages["http://public.example/moved.jpg"] = lambda page: page.say(302, Location=urls[0])
    monkeypatch.setenv("http_proxy", proxy.url)
    sample = faces_of([*urls, *(f"http://public.example/{n}.jpg" for n in ("good", "moved"))])
    for obey in (True, False):
        ledger, array, _, _ = fetch(
            sample, tmp_path / str(obey), allow_private=False, obey_robots=obey
        )
        assert len(array) == 1
        causes = ledger["error"].dropna()
        assert len(causes) == len(urls) + 1
        assert causes.str.startswith("private address refused").all(), causes.to_dict()
        assert not any("public" not in path for path in proxy.asked)
    ledger, array, _, _ = fetch(sample, tmp_path / "allowed")
    assert proxy.asked["http://127.0.0.1:9/secret.jpg"]
    assert len(array) > 5


def test_what_no_proxy_names_is_asked_directly_and_checked(proxy, tmp_path, monkeypatch):
    monkeypatch.setenv("http_proxy", proxy.url)
    monkeypatch.setenv("no_proxy", "127.0.0.0/8")
    with serving(Site()) as site:
        site.pages["/1.jpg"] = picture(1)
        sample = faces_of([f"{site.url}/1.jpg"])
        fetch(sample, tmp_path)
        assert not proxy.asked
        with pytest.raises(InputError, match="private address refused"):
            fetch(sample, tmp_path / "other", allow_private=False)
        # The rendered photos need no such variable.
        monkeypatch.delenv("no_proxy")
        loopback = [("127.0.0.1", site.port)]
        fetch(sample, tmp_path / "demo", loopback, allow_private=False)
        assert not proxy.asked


def test_a_proxy_that_is_not_there_is_the_cause(tmp_path, monkeypatch):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{unused.getsockname()[1]}")
        wanted = r"no connection to the proxy \(1\); see the environment's HTTP_PROXY"
        with pytest.raises(InputError, match=wanted):
            fetch(faces_of(["http://public.example/1.jpg"]), tmp_path)
    monkeypatch.setenv("http_proxy", "http://nowhere.example:3128")
    with pytest.raises(InputError, match=r"no connection to the proxy \(1\)"):
        fetch(faces_of(["http://public.example/1.jpg"]), tmp_path)


class Tunnel(BaseHTTPRequestHandler):
    """A proxy for https: it connects, and passes bytes on."""

    def do_CONNECT(self):
        self.server.asked.append(self.path)
        if not self.server.port:
            return self.send_error(403)
        self.send_response(200)
        self.end_headers()
        with socket.create_connection(("127.0.0.1", self.server.port)) as host:
            pair = [self.connection, host]
            while ready := select.select(pair, [], [], 10)[0]:
                for source in ready:
                    data = source.recv(65_536)
                    if not data:
                        return None
                    pair[1 - pair.index(source)].sendall(data)
        return None

    def log_message(self, *args):
        pass


@pytest.fixture
def tunnel():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Tunnel)
    server.daemon_threads = True
    server.asked, server.port = [], 0
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def test_https_goes_through_the_proxy(tmp_path, monkeypatch, certificate, tunnel):
    monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{tunnel.server_address[1]}")
    sample = faces_of(["https://photos.example/1.jpg"])
    with pytest.raises(InputError, match=r"proxy status 403 \(1\)"):
        fetch(sample, tmp_path, allow_private=False)
    with serving(Site()) as site:
        site.secure(certificate)
        site.pages["/1.jpg"] = picture(1)
        tunnel.port = site.port
        with pytest.raises(InputError, match=r"bad certificate \(1\); .*SSL_CERT_FILE"):
            fetch(sample, tmp_path, allow_private=False)
        assert not site.asked
        trusting = ssl.create_default_context(cafile=certificate[0])
        monkeypatch.setattr("aiohttp.connector._SSL_CONTEXT_VERIFIED", trusting)
        _, array, _, _ = fetch(sample, tmp_path, allow_private=False)
    assert np.array_equal(array, [square(picture(1))])
    assert set(tunnel.asked) == {"photos.example:443"}


@pytest.mark.parametrize(
    ("no_proxy", "url", "direct"),
    [
        ("", "http://a.org/1.jpg", False),
        ("a.org", "http://a.org/1.jpg", True),
        ("a.org", "http://www.a.org/1.jpg", True),
        ("a.org", "http://ba.org/1.jpg", False),
        (".a.org", "http://www.a.org/1.jpg", True),
        ("*.a.org", "http://www.a.org/1.jpg", True),
        ("A.ORG", "http://a.org/1.jpg", True),
        ("b.org, a.org", "http://a.org/1.jpg", True),
        ("b.org a.org", "http://a.org/1.jpg", True),
        ("a.org:80", "http://a.org/1.jpg", True),
        ("a.org:81", "http://a.org/1.jpg", False),
        ("*", "http://a.org/1.jpg", True),
        ("b.org,*", "https://a.org/1.jpg", True),
        ("10.0.0.0/8", "http://10.1.2.3/1.jpg", True),
        ("10.0.0.0/8", "http://11.1.2.3/1.jpg", False),
        ("10.1.2.3", "http://10.1.2.3:81/1.jpg", True),
        ("fd00::/8", "http://[fd00::1]/1.jpg", True),
        ("::1", "http://[::1]/1.jpg", True),
        ("10.0.0.0/8", "http://[::1]/1.jpg", False),
        ("1.2.3.4/99", "http://1.2.3.4/1.jpg", False),
    ],
)
def test_no_proxy(monkeypatch, no_proxy, url, direct):
    monkeypatch.setenv("ALL_PROXY", "http://proxy.org:3128")
    monkeypatch.setenv("NO_PROXY", no_proxy)
    assert (Proxies().of(URL(url)) is None) is direct


def test_a_variable_counts_for_its_own_scheme(monkeypatch):
    assert Proxies().of(URL("http://a.org")) is None
    monkeypatch.setenv("HTTP_PROXY", "http://one:1")
    monkeypatch.setenv("HTTPS_PROXY", "http://two:2")
    monkeypatch.setenv("ALL_PROXY", "socks5://three:3")
    proxies = Proxies([("127.0.0.1", 8917)])
    assert proxies.of(URL("http://a.org")) == URL("http://one:1")
    assert proxies.of(URL("https://a.org")) == URL("http://two:2")
    assert proxies.of(URL("http://127.0.0.1:8917/1.jpg")) is None
    assert proxies.of(URL("http://127.0.0.1:8918/1.jpg")) == URL("http://one:1")
    monkeypatch.setenv("http_proxy", "http://small:1")
    assert Proxies().of(URL("http://a.org")) == URL("http://small:1")
    monkeypatch.delenv("HTTPS_PROXY")
    with pytest.raises(InputError, match="ALL_PROXY names a SOCKS proxy"):
        Proxies().of(URL("https://a.org"))
