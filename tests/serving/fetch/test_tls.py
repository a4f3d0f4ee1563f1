"""Certificates are verified for the URL's host, whatever address the connection uses."""

import contextlib
import datetime
import socket
import ssl
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from serving.fetch.transport import tls_context
from tests.serving.fetch.servers import (
    ARTICLE,
    HOST,
    Server,
    answer,
    article_at,
    code_of,
    endless,
    fetcher_for,
    page_text,
    redirect,
)

cryptography = pytest.importorskip("cryptography", reason="makes the certificates of the tests")

from cryptography import x509  # noqa: E402
from cryptography.hazmat.primitives import hashes, serialization  # noqa: E402
from cryptography.hazmat.primitives.asymmetric import ec  # noqa: E402


@dataclass
class Authority:
    """A certificate authority that writes its certificates to a folder."""

    folder: Path

    def __post_init__(self) -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.certificate = self._sign("authority", self.key.public_key(), is_authority=True)
        self.file = self.folder / "authority.pem"
        self.file.write_bytes(self.certificate.public_bytes(serialization.Encoding.PEM))

    def context(self, host: str, *, days: int = 2) -> ssl.SSLContext:
        """Return a server's context with a certificate that expires in `days`."""
        key = ec.generate_private_key(ec.SECP256R1())
        file = self.folder / f"{host}{days}.pem"
        file.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
            + self._sign(host, key.public_key(), days=days).public_bytes(serialization.Encoding.PEM)
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(file)
        return context

    def _sign(
        self, name: str, key: Any, *, days: int = 2, is_authority: bool = False
    ) -> x509.Certificate:
        now = datetime.datetime.now(datetime.UTC)
        subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
        issuer = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "authority")])
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(issuer)
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(days=9))
            .not_valid_after(now + datetime.timedelta(days=days))
            .add_extension(x509.BasicConstraints(is_authority, None), critical=True)
            .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
            .sign(self.key, hashes.SHA256())
        )


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(scope="module")
def trusting(authority: Authority) -> ssl.SSLContext:
    """Return the production context, which also trusts the test's authority."""
    context = tls_context()
    context.load_verify_locations(authority.file)
    return context


def test_the_hosts_certificate_is_accepted_and_named(
    authority: Authority, trusting: ssl.SSLContext
) -> None:
    named: list[str | None] = []
    context = authority.context(HOST)
    context.sni_callback = lambda _connection, name, _context: named.append(name)
    with Server(answer(), tls=context) as server:
        page = page_text(fetcher_for(server, tls=trusting), server.url(scheme="https"))
    assert ARTICLE[0] in page
    assert named == [HOST]
    assert f"Host: {HOST}:{server.port}".encode() in server.requests[0]


@pytest.mark.parametrize(
    ("host", "days"), [("other.example.org", 2), ("127.0.0.1", 2), ("*.org", 2), (HOST, -1)]
)
def test_certificates_of_other_hosts_and_expired_ones_are_refused(
    authority: Authority, trusting: ssl.SSLContext, host: str, days: int
) -> None:
    with Server(answer(), tls=authority.context(host, days=days)) as server:
        fetcher = fetcher_for(server, tls=trusting)
        assert code_of(fetcher, server.url(scheme="https")) == "url_unreachable"
    assert not server.requests


def test_an_unknown_authority_is_refused_even_if_the_environment_trusts_it(
    authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.file))
    monkeypatch.setenv("SSL_CERT_DIR", str(authority.folder))
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(authority.file))
    with Server(answer(), tls=authority.context(HOST)) as server:
        fetcher = fetcher_for(server, tls=None)
        assert code_of(fetcher, server.url(scheme="https")) == "url_unreachable"
    assert not server.requests


def test_redirects_from_https_to_http_and_back_are_followed_as_in_browsers(
    authority: Authority, trusting: ssl.SSLContext
) -> None:
    pages: dict[str, bytes] = {"/2": answer()}
    there: dict[str, bytes] = {}
    with Server(pages, tls=authority.context(HOST)) as server, Server(there) as plain:
        pages["/"] = redirect(plain.url("/1"))
        there["/1"] = redirect(server.url("/2", scheme="https"))
        article = article_at(fetcher_for(server, plain, tls=trusting), server.url(scheme="https"))
    assert article.url == server.url("/2", scheme="https")
    assert len(plain.requests) == 1


def test_a_redirect_to_http_does_not_excuse_a_wrong_certificate(
    authority: Authority, trusting: ssl.SSLContext
) -> None:
    with Server(answer()) as plain:
        moved = redirect(plain.url())
        with Server(moved, tls=authority.context("other.example.org")) as server:
            fetcher = fetcher_for(server, plain, tls=trusting)
            assert code_of(fetcher, server.url(scheme="https")) == "url_unreachable"
    assert not plain.requests


def test_redirects_from_http_to_https_are_followed(
    authority: Authority, trusting: ssl.SSLContext
) -> None:
    with Server(answer(), tls=authority.context(HOST)) as server:
        moved = redirect(server.url(scheme="https"))
        with Server(moved) as plain:
            assert code_of(fetcher_for(server, plain, tls=trusting), plain.url()) == ""


def test_a_server_without_tls(trusting: ssl.SSLContext) -> None:
    def greet(connection: socket.socket, _: bytes) -> None:
        connection.sendall(b"220 mail.example.org ESMTP\r\n")

    with Server(greet) as server:
        fetcher = fetcher_for(server, tls=trusting, timeout_seconds=0.4)
        code = code_of(fetcher, server.url(scheme="https"))
    assert code in {"url_unreachable", "url_timeout"}  # depending on which side waits for the other


def test_a_handshake_that_never_ends(trusting: ssl.SSLContext) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:  # the kernel accepts, no program answers
        port = silent.getsockname()[1]
        fetcher = fetcher_for(tls=trusting, timeout_seconds=0.3, ports=(port,))
        assert code_of(fetcher, f"https://{HOST}:{port}/") == "url_timeout"


def test_a_handshake_in_a_slow_drip(trusting: ssl.SSLContext) -> None:
    over = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def drip() -> None:
            connection, _ = listener.accept()
            with connection, contextlib.suppress(OSError):
                connection.sendall(b"\x16\x03\x03\x3f\xff\x02\x00\x3f\xfb")
                while not over.wait(0.02):
                    connection.sendall(b"\x03")

        threading.Thread(target=drip, daemon=True).start()
        port = listener.getsockname()[1]
        fetcher = fetcher_for(tls=trusting, timeout_seconds=0.4, ports=(port,))
        start = time.monotonic()
        assert code_of(fetcher, f"https://{HOST}:{port}/") == "url_timeout"
        assert time.monotonic() - start < 2
        over.set()


def test_a_slow_drip_inside_tls(authority: Authority, trusting: ssl.SSLContext) -> None:
    with endless(b"a", 0.02) as drip:

        def behave(connection: socket.socket, request: bytes) -> None:
            connection.sendall(b"HTTP/1.1 200 OK\r\nX-Slow: ")
            drip(connection, request)

        with Server(behave, tls=authority.context(HOST)) as server:
            fetcher = fetcher_for(server, tls=trusting, timeout_seconds=0.5)
            assert code_of(fetcher, server.url(scheme="https")) == "url_timeout"
