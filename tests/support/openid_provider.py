"""A small OpenID provider on 127.0.0.1 that signs with a key of its own, and lies where it is told to."""

import base64
import hashlib
import hmac
import json
import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256

CLIENT, SECRET = "desk", "a client secret for tests only"
KEY = rsa.generate_private_key(65537, 2048)
FOREIGN_KEY = rsa.generate_private_key(65537, 2048)


@dataclass
class Provider:
    """`claims` are put in place of the true ones (None leaves one out). `asked` are the authorization requests it got.

    `signing` is "ours", "foreign" (a key that it does not publish), "secret" (HS256 with the client's) or "none".
    `faults` maps a path to "down", "slow", or the JSON to answer in place of its own.
    """

    now: int
    email: str = "maria@practice.example"
    claims: dict[str, Any] = field(default_factory=dict)
    signing: str = "ours"
    faults: dict[str, Any] = field(default_factory=dict)
    asked: list[dict[str, str]] = field(default_factory=list)
    issuer: str = ""
    codes: dict[str, dict[str, str]] = field(default_factory=dict)

    def discovery(self) -> dict[str, Any]:
        return {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/keys",
        }

    def keys(self) -> dict[str, Any]:
        public = KEY.public_key().public_numbers()
        parts = {name: number.to_bytes((number.bit_length() + 7) // 8, "big") for name, number in vars_of(public)}
        return {
            "keys": [{"kty": "RSA", "kid": "1", "use": "sig", **{name: encode(part) for name, part in parts.items()}}]
        }

    def authorize(self, asked: dict[str, str]) -> str:
        """Where the browser is sent back to, as if somebody had just signed in there."""
        self.asked.append(asked)
        code = secrets.token_urlsafe(16)
        self.codes[code] = asked
        return f"{asked['redirect_uri']}?{urlencode({'code': code, 'state': asked['state'], 'iss': self.issuer})}"

    def token(self, given: dict[str, str], authorization: str) -> tuple[int, dict[str, Any]]:
        """RFC 6749 and 7636: a code is good once, for its client, its address and whoever knows its verifier."""
        asked = self.codes.pop(given.get("code", ""), None)
        known = base64.b64encode(f"{CLIENT}:{SECRET}".encode()).decode()
        if authorization != f"Basic {known}":
            return 401, {"error": "invalid_client"}
        challenge = encode(hashlib.sha256(given.get("code_verifier", "").encode()).digest())
        if asked is None or asked["code_challenge"] != challenge or asked["redirect_uri"] != given["redirect_uri"]:
            return 400, {"error": "invalid_grant"}
        return 200, {"access_token": "unused", "token_type": "Bearer", "id_token": self.id_token(asked["nonce"])}

    def id_token(self, nonce: str) -> str:
        true = {
            "iss": self.issuer, "sub": "42", "aud": CLIENT, "iat": self.now, "exp": self.now + 300, "nonce": nonce,
            "email": self.email, "email_verified": True,
        }  # fmt: skip
        claims = {name: value for name, value in (true | self.claims).items() if value is not None}
        algorithm = {"secret": "HS256", "none": "none"}.get(self.signing, "RS256")
        head = encode(json.dumps({"alg": algorithm, "kid": "1", "typ": "JWT"}).encode())
        said = f"{head}.{encode(json.dumps(claims).encode())}"
        return f"{said}.{encode(self.sign(said.encode()))}"

    def sign(self, said: bytes) -> bytes:
        if self.signing == "none":
            return b""
        if self.signing == "secret":
            return hmac.new(SECRET.encode(), said, hashlib.sha256).digest()
        return (KEY if self.signing == "ours" else FOREIGN_KEY).sign(said, padding.PKCS1v15(), SHA256())


def vars_of(public: rsa.RSAPublicNumbers) -> list[tuple[str, int]]:
    return [("n", public.n), ("e", public.e)]


def encode(part: bytes) -> str:
    return base64.urlsafe_b64encode(part).rstrip(b"=").decode()


class Handler(BaseHTTPRequestHandler):
    provider: Provider

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        if self._answered(parts.path):
            return
        if parts.path == "/authorize":
            asked = {name: values[0] for name, values in parse_qs(parts.query).items()}
            self.send_response(302)
            self.send_header("Location", self.provider.authorize(asked))
            self.end_headers()
            return
        self._say(200, self.provider.keys() if parts.path == "/keys" else self.provider.discovery())

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        if not self._answered(self.path):
            given = {name: values[0] for name, values in parse_qs(body).items()}
            self._say(*self.provider.token(given, self.headers.get("Authorization", "")))

    def _answered(self, path: str) -> bool:
        """Whether a fault took the place of the answer."""
        fault = self.provider.faults.get(path)
        if fault == "slow":
            time.sleep(3)
        if fault in {"slow", "down"}:
            self._say(503, {"error": "unavailable"})
        elif fault is not None:
            self._say(200, fault)
        return fault is not None

    def _say(self, status: int, words: Any) -> None:
        body = json.dumps(words).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Tests say for themselves what went wrong."""


@contextmanager
def openid_provider(now: int) -> Iterator[Provider]:
    provider = Provider(now)
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("OwnHandler", (Handler,), {"provider": provider}))
    provider.issuer = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield provider
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
