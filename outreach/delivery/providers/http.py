"""Makes one request to a vendor, and returns its answer or what is known without one. All HTTP to vendors is here.

Nothing here is ever sent a second time. What left before a failure is read off the connection, not guessed. No number
of theirs is followed without a bound, and no answer is waited for without an end.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import cache
from ssl import SSLContext
from typing import Any

import httpx

from outreach.delivery.providers.deadline import Deadline, bound_connections
from outreach.errors import NoAnswer, NotSent, OutcomeUnknown
from outreach.settings import VendorSettings

# Our own fault with them (the key, the account, its funds) says nothing against the message: mended, it may go.
OUR_FAULT = frozenset({401, 402, 403})
BUSY = frozenset({429})
# No vendor of ours asks for a longer pause, and none is given one: a larger number is a slip of theirs, or of a clock.
LONGEST_PAUSE = timedelta(days=1)
# Anything above it is no number of seconds to wait but an instant: seconds since 1970, as of 2001.
FIRST_EPOCH = 10**9
# How much longer a whole answer may take than the longest single wait for a part of it.
WHOLE_ANSWER = 2


@cache
def _tls() -> SSLContext:
    # Read once: the certificates of the world take longer to read than most vendors take to answer.
    return httpx.create_ssl_context(trust_env=False)


class VendorClient(httpx.Client):
    """A client for one vendor."""

    def __init__(self, settings: VendorSettings, **options: Any) -> None:
        timeout = httpx.Timeout(settings.timeout_seconds)
        # No redirect and no proxy: the key of the account goes to the host in the settings and to no other.
        super().__init__(
            base_url=settings.url, timeout=timeout, follow_redirects=False, trust_env=False, verify=_tls(), **options
        )
        self._deadline = Deadline(settings.timeout_seconds * WHOLE_ANSWER)
        bound_connections(self, self._deadline)

    def send(self, request: httpx.Request, **options: Any) -> httpx.Response:
        """The answer, all of it; a TimeoutError where it drips in too slowly."""
        self._deadline.begin()
        return super().send(request, **options)


def open_client(settings: VendorSettings, **options: Any) -> VendorClient:
    """A client for one vendor, with its time-outs, that follows no redirect and reads no proxy from the environment."""
    return VendorClient(settings, **options)


def hand_over(client: httpx.Client, request: httpx.Request, require_time: Callable[[], None]) -> httpx.Response:
    """The vendor's answer, whatever its status. Raises NotSent when no byte of the request left, else OutcomeUnknown.

    `require_time` is called on the open connection, right before the first byte.
    """
    left = False

    def watch(event: str, _info: object) -> None:
        nonlocal left
        # httpcore names the protocol in the event: http11. or http2.
        if event.endswith("send_request_headers.started"):
            require_time()
            left = True

    request.extensions["trace"] = watch
    try:
        return client.send(request)
    except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
        what = f"{request.url.host} did not answer ({type(error).__name__})"
        # From the first header on a vendor may have the whole order, whatever broke afterwards.
        if left:
            raise OutcomeUnknown(f"{what} after the message had left: whether it took it is not known") from error
        raise NotSent(f"{what} before anything had left; the next run tries again") from error


def ask(client: httpx.Client, request: httpx.Request) -> httpx.Response:
    """The vendor's answer to a question that changes nothing, or to a cancelling. Raises NoAnswer without a clear one.

    Clear are 2xx, and 4xx other than 408, 429 and those that are our own fault.
    """
    try:
        response = client.send(request)
    except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
        raise NoAnswer(f"{request.url.host} did not answer ({type(error).__name__})") from error
    if response.status_code in OUR_FAULT | BUSY | {408} or not (response.is_success or response.is_client_error):
        raise NoAnswer(f"{request.url.host} answered {response.status_code}")
    return response


def require_not_refused_as_busy(name: str, response: httpx.Response) -> None:
    """Raises NotSent where the answer says that the message was surely not taken, for a reason that will pass."""
    if response.status_code in BUSY:
        raise NotSent(f"{name} is busy (429); it is tried again later", retry_after(response))
    if response.status_code in OUR_FAULT:
        raise NotSent(f"{name} does not let us in ({response.status_code}); its key or our account there is not right")


def retry_after(response: httpx.Response) -> timedelta | None:
    """What the Retry-After header asks for: seconds or an HTTP date (RFC 9110, 10.2.3); None where it says nothing.

    Never more than LONGEST_PAUSE. An instant is compared with the vendor's own clock, or asks for nothing without one.
    """
    header = response.headers.get("Retry-After", "").strip()
    try:
        seconds = float(header)
        return _until_epoch(response, seconds) if seconds >= FIRST_EPOCH else _bounded(timedelta(seconds=seconds))
    except (ValueError, OverflowError):
        pass
    try:
        return _until(response, parsedate_to_datetime(header))
    except (ValueError, TypeError):
        return None


def _until_epoch(response: httpx.Response, seconds: float) -> timedelta | None:
    """How long until an instant in seconds since 1970, by the vendor's own clock, as far as LONGEST_PAUSE."""
    try:
        return _until(response, datetime.fromtimestamp(seconds, UTC))
    except (ValueError, OverflowError, OSError):
        return LONGEST_PAUSE


def _until(response: httpx.Response, instant: datetime) -> timedelta | None:
    now = date_of(response)
    aware = instant if instant.tzinfo else instant.replace(tzinfo=UTC)
    return _bounded(aware - now) if now else None


def _bounded(pause: timedelta) -> timedelta:
    return min(max(timedelta(0), pause), LONGEST_PAUSE)


def read_json(response: httpx.Response) -> Any:
    """The body as JSON, or None when it is none."""
    try:
        return response.json()
    except ValueError:
        return None


def date_of(response: httpx.Response) -> datetime | None:
    """The vendor's own time of its answer (RFC 9110, 6.6.1); None where it does not say one that can be read."""
    try:
        date = parsedate_to_datetime(response.headers["Date"])
    except (KeyError, ValueError, TypeError):
        return None
    return date if date.tzinfo else date.replace(tzinfo=UTC)
