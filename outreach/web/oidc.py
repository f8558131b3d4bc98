"""Asks an OpenID provider who somebody is (authorization code with PKCE), and returns their verified e-mail address.

Believes nothing that is not signed with the provider's own key, for us, for this very sign-in, and still good.
"""

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast
from urllib.parse import urlsplit

from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.jwk import KeySet

from outreach.approval.passwords import Draw
from outreach.errors import NotLetIn, OutreachError
from outreach.settings.desk import OidcSettings
from outreach.settings.secrets import secret_of

with warnings.catch_warnings():
    # It would rather have a successor of httpx that nothing else here uses.
    warnings.simplefilter("ignore", DeprecationWarning)
    from authlib.integrations.httpx_client import OAuth2Client

log = logging.getLogger("outreach.web")
# Signed with a private key: with a shared secret, whoever knows ours could write what they like.
ALGORITHMS = ("RS256", "PS256", "ES256")
CLOCKS_DIFFER_BY = 60
DISCOVERY = "/.well-known/openid-configuration"
LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


@dataclass(frozen=True)
class Handshake:
    """What only this browser knows of a sign-in under way, so that no other can end it."""

    state: str
    nonce: str
    verifier: str


def begin(oidc: OidcSettings, our_address: str, draw: Draw) -> tuple[str, Handshake]:
    """The provider's address to send the browser to, and what to remember until it comes back to `our_address`.

    Raises NotLetIn where the provider does not answer as it must.
    """
    handshake = Handshake(*(draw(32).hex() for _ in range(3)))
    with _trouble_told(), _client(oidc, our_address) as client:
        endpoint = _discover(oidc, client)["authorization_endpoint"]
        url, _ = client.create_authorization_url(
            _safe(endpoint), state=handshake.state, nonce=handshake.nonce, code_verifier=handshake.verifier
        )
    return str(url), handshake


def finish(oidc: OidcSettings, our_address: str, handshake: Handshake, code: str, issuer: str, now: datetime) -> str:
    """The verified e-mail address of whoever came back with `code`; `issuer` is who says so, where it says.

    Raises NotLetIn, in words for the person at the browser; the cause is in the log, without anybody's data.
    """
    with _trouble_told():
        _require(issuer in {"", oidc.issuer}, "the answer names another issuer")
        with _client(oidc, our_address) as client:
            discovered = _discover(oidc, client)
            token = client.fetch_token(
                _safe(discovered["token_endpoint"]), code=code, code_verifier=handshake.verifier,
                grant_type="authorization_code", redirect_uri=our_address,
            )  # fmt: skip
            keys = _ask(client, discovered["jwks_uri"])
        claims = _read_id_token(oidc, token, keys, handshake, now)
    if claims.get("email_verified") is not True or not isinstance(claims.get("email"), str):
        raise NotLetIn("That account has no e-mail address that its provider has verified. Use another way to sign in")
    return str(claims["email"])


def _read_id_token(
    oidc: OidcSettings, token: dict[str, Any], keys: dict[str, Any], handshake: Handshake, now: datetime
) -> CodeIDToken:
    """The claims of a token whose signature, issuer, audience, nonce and times are right; raises for any other."""
    signed = jwt.decode(token["id_token"], KeySet.import_key_set(cast(Any, keys)), algorithms=list(ALGORITHMS))
    claims = CodeIDToken(
        signed.claims,
        signed.header,
        {
            "iss": {"essential": True, "value": oidc.issuer},
            "aud": {"essential": True, "value": oidc.client_id},
            "nonce": {"essential": True, "value": handshake.nonce},
        },
        {"nonce": handshake.nonce, "client_id": oidc.client_id, "access_token": token.get("access_token")},
    )
    claims.validate(now=int(now.timestamp()), leeway=CLOCKS_DIFFER_BY)
    return claims


def _client(oidc: OidcSettings, our_address: str) -> OAuth2Client:
    return OAuth2Client(
        oidc.client_id, secret_of(oidc.client_secret), scope="openid email", redirect_uri=our_address,
        # A redirect would lead to an address that `_safe` has not seen.
        code_challenge_method="S256", timeout=oidc.timeout_seconds, follow_redirects=False,
    )  # fmt: skip


def _discover(oidc: OidcSettings, client: OAuth2Client) -> dict[str, Any]:
    discovered = _ask(client, oidc.issuer.rstrip("/") + DISCOVERY)
    _require(discovered.get("issuer") == oidc.issuer, "discovery names another issuer")
    return discovered


def _ask(client: OAuth2Client, address: str) -> dict[str, Any]:
    # Said, because authlib would otherwise ask for a token, and there is none yet.
    answer = client.get(_safe(address), auth=None)
    _require(answer.status_code == 200, f"{answer.status_code} from {urlsplit(address).path}")
    fields: dict[str, Any] = answer.json()
    return fields


def _safe(address: str) -> str:
    """The address, if nobody on the way can listen in or answer in the provider's place."""
    parts = urlsplit(address)
    # A provider on this machine may use http: nobody is on the way.
    _require(parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOOPBACK), "not https")
    return address


def _require(is_so: bool, otherwise: str) -> None:
    if not is_so:
        raise ValueError(otherwise)


@contextmanager
def _trouble_told() -> Iterator[None]:
    """Turns whatever goes wrong between us and the provider into NotLetIn; only its kind is logged."""
    try:
        yield
    except OutreachError:
        raise
    except Exception as error:
        log.warning("a sign-in with an account failed: %s", type(error).__name__)
        raise NotLetIn(
            "The other service did not say who you are. Try again, or sign in with your name and password"
        ) from None
