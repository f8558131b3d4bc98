"""Sends texts through Twilio, and reads its callbacks and what people text back as reports.

Twilio takes no key of ours: nothing may be handed over again before a look-up has found nothing. Never logs a number.
"""

import hashlib
import hmac
import json
import logging
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx
from twilio.http import HttpClient
from twilio.http.response import Response
from twilio.request_validator import RequestValidator, add_port, get_signature_algorithm, remove_port
from twilio.rest import Client
from twilio.twiml.messaging_response import MessagingResponse

from outreach.channels import TEXT
from outreach.delivery.providers import http
from outreach.delivery.providers.protocol import NO_KEYS, Handover, LookupResult, Report, WebhookRequest
from outreach.delivery.providers.twilio_codes import DEAD, KIND_OF, OF_THEIR_NUMBER, OPTED_OUT, QUEUE_FULL, reason_of
from outreach.errors import (
    ContactRefused,
    NoAnswer,
    NotNow,
    NotSent,
    OutcomeUnknown,
    Refused,
    SettingsError,
    WebhookRefused,
)  # fmt: skip
from outreach.settings import Settings, TwilioSettings, secret_of

# Twilio keeps a text for ten hours by default; one of the afternoon must not arrive at night.
VALIDITY = timedelta(hours=4)
# What the hand-over itself may take, which does not count at Twilio.
ON_ITS_WAY = timedelta(minutes=1)
LONGEST_BODY, PAGE_SIZE, MAX_PAGES = 1600, 1000, 50
CLOCKS_DIFFER = timedelta(minutes=5)
# What Twilio puts before the words as long as an account is on trial; the API gives them back with it.
ON_TRIAL = "Sent from your Twilio trial account - "

# US and Canadian numbers that belong to a place, not to a toll-free range: docs/rules.md, 10.
LONG_CODE = re.compile(r"\+1(?!8(?:00|33|44|55|66|77|88))[2-9]\d{9}")
SID = re.compile(r"(SM|MM)[0-9a-fA-F]{32}")
E164 = re.compile(r"\+[1-9]\d{6,14}")


def open_provider(settings: Settings) -> "Twilio":
    """Raises SettingsError for a US long code whose use no campaign allows: networks block such texts."""
    twilio = settings.providers.twilio
    if LONG_CODE.fullmatch(twilio.sender) and not (twilio.campaign and twilio.campaign_use):
        raise SettingsError(
            "providers.twilio.sender is a US long code. Texts from it are only allowed for a registered brand and "
            "campaign (A2P 10DLC): register it with Twilio, then set providers.twilio.campaign to its id, and "
            "providers.twilio.campaign_use to what it was approved for: service, marketing or mixed"
        )
    return Twilio(twilio, f"{settings.business.public_url.rstrip('/')}/webhooks/twilio")


class Twilio:
    name = "twilio"
    channels = frozenset({TEXT.name})
    key_life = NO_KEYS

    def __init__(self, settings: TwilioSettings, callback: str) -> None:
        self.account, self.sender, self.callback = settings.account_sid, settings.sender, callback
        self.is_service = self.sender.startswith("MG")
        self.use = settings.campaign_use if LONG_CODE.fullmatch(self.sender) else "mixed"
        self.token = secret_of(settings.auth_token)
        self.absent_after: timedelta | None = timedelta(minutes=settings.absent_after_minutes)
        self.per_second = settings.per_second
        self.client = http.open_client(settings, auth=(self.account, self.token))

    def send(self, handover: Handover) -> str:
        to, words = _number_of(handover), _words_of(handover)
        if self.use not in {handover.purpose, "mixed"}:
            raise Refused(
                f"our campaign is approved for {self.use} texts, and this is a {handover.purpose} one; register another"
            )
        rest = Client(self.account, self.token, http_client=_Transport(self.client, handover.require_time))
        # An inbound callback with these proves that this very try was taken, even where our own answer was lost.
        marks = urlencode({"reference": handover.reference, "key": handover.key})
        message = rest.messages.create(
            to=to,
            body=words,
            status_callback=f"{self.callback}?{marks}",
            validity_period=_validity(handover),
            # What was approved is what is sent: no letter is replaced to save a segment.
            smart_encoded=False,
            **{"messaging_service_sid" if self.is_service else "from_": self.sender},
        )
        return str(message.sid)

    def find(self, handover: Handover) -> list[str]:
        """Texts with the same words from us to the same number, made since five minutes before the first try.

        Twilio keeps nothing of ours with a message: another message with the same words to the same number in that
        time is found here as well. Whoever knows what else was sent leaves those out.
        """
        to, words = _number_of(handover), _words_of(handover)
        since = handover.begun_at - CLOCKS_DIFFER
        dates: list[datetime | None] = []
        ids = [item["sid"] for item in self._list(to, dates) if self._is_same(item, words, since)]
        return LookupResult(ids, at=dates[0])

    def _list(self, to: str, dates: list[datetime | None]) -> Iterator[dict[str, Any]]:
        """Each text to `to` on their list; `dates` gets their own time of each page."""
        address = f"/2010-04-01/Accounts/{self.account}/Messages.json?{urlencode({'To': to, 'PageSize': PAGE_SIZE})}"
        for _ in range(MAX_PAGES):
            response = http.ask(self.client, self.client.build_request("GET", address))
            dates.append(http.date_of(response))
            page = http.read_json(response)
            if not (response.is_success and isinstance(page, dict) and isinstance(page.get("messages"), list)):
                raise NoAnswer(f"Twilio's list of messages cannot be read ({response.status_code})")
            yield from page["messages"]
            address = page.get("next_page_uri", "")
            if address is None:
                return
            # Only a path: our key goes to no other host.
            if not isinstance(address, str) or not address.startswith("/2010-04-01/"):
                raise NoAnswer("Twilio's list of messages cannot be followed to its end")
        raise NoAnswer("Twilio's list of messages has no end")

    def _is_same(self, item: Any, words: str, since: datetime) -> bool:
        """Whether this is the text; raises NoAnswer when the item does not say enough to tell."""
        try:
            sid, body, created = item["sid"], item["body"], parsedate_to_datetime(item["date_created"])
            sender = item["messaging_service_sid" if self.is_service else "from"]
            is_recent = created >= since
        except (TypeError, KeyError, ValueError) as error:
            raise NoAnswer("Twilio's list of messages holds one that cannot be read") from error
        if sender != self.sender or not is_recent:
            return False
        if not body or not isinstance(sid, str) or not SID.fullmatch(sid):
            raise NoAnswer("Twilio's list of messages holds one whose words are not shown")
        return str(body) in {words, ON_TRIAL + words}

    def parse_events(self, request: WebhookRequest) -> list[Report]:
        """Status callbacks and inbound messages. Twilio signs no time: whether it is a repetition, its id shows."""
        form = self._verify(request)
        sid = _first(form, "MessageSid")
        if not sid:
            return []
        if status := _first(form, "MessageStatus"):
            return _status_reports(request, form, sid, status)
        if contact := _first(form, "From"):
            # With Advanced Opt-Out, Twilio says which of the business's own keywords was meant.
            words = _first(form, "OptOutType") or _first(form, "Body")
            return [Report(sid, "replied", request.received_at, contact=contact, words=words, raw=request.body)]
        return []

    def _verify(self, request: WebhookRequest) -> dict[str, list[str]]:
        """The fields of a request that Twilio signed for the address it called."""
        if not self.token:
            raise WebhookRefused("There is no Twilio auth token to check webhooks with")
        form = _read_form(request)
        is_json = _is_json(request)
        algorithm = get_signature_algorithm(request.headers.get("x-twilio-webhooks-signature-settings", ""))
        # The algorithm, ports and repeated fields as in the package's own RequestValidator.validate, whose comparison
        # tells how long a right signature is.
        validator, address = RequestValidator(self.token), urlsplit(request.url)
        try:
            signed = [
                validator.compute_signature(with_or_without(address), {} if is_json else form, algorithm)
                for with_or_without in (add_port, remove_port)
            ]
        except ValueError as error:
            raise WebhookRefused("A webhook for Twilio is signed in a way we do not know") from error
        signature = request.headers.get("x-twilio-signature", "")
        matches = [hmac.compare_digest(ours.encode(), signature.encode()) for ours in signed]
        if not any(matches) or (is_json and not _is_body_signed(request)):
            raise WebhookRefused("A webhook for Twilio is not signed by Twilio")
        return form

    def answer(self, request: WebhookRequest, words: str | None) -> tuple[bytes, str]:
        """What Twilio is told in return, and its media type: to text `words` back, or nothing.

        Where Twilio names a keyword of the business's own (Advanced Opt-Out), it has answered it already.
        """
        answer = MessagingResponse()
        if words and not _first(_read_form(request), "OptOutType"):
            answer.message(words)
        return answer.to_xml().encode(), "text/xml; charset=utf-8"

    def close(self) -> None:
        self.client.close()


class _Transport(HttpClient):  # type: ignore[misc]  # the package has no types
    """Carries one request of the package to Twilio, once, and turns what comes back into what is known."""

    def __init__(self, client: httpx.Client, require_time: Callable[[], None]) -> None:
        super().__init__(logging.getLogger(__name__), is_async=False)
        self.client, self.require_time = client, require_time

    def request(self, method: str, uri: str, *_: Any, **given: Any) -> Response:
        # Only the path: the host is the one in our settings, whatever region the environment names.
        request = self.client.build_request(
            method, urlsplit(uri).path, data=given.get("data"), headers=given.get("headers")
        )
        sid = _require_taken(http.hand_over(self.client, request, self.require_time))
        # The package reads every field it is given; once a text is taken, none of them may still fail.
        return Response(httpx.codes.CREATED, json.dumps({"sid": sid}))


def _require_taken(response: httpx.Response) -> str:
    """Twilio's id for what it took. Raises what is known otherwise."""
    body = http.read_json(response)
    sid, code = (body.get("sid"), body.get("code")) if isinstance(body, dict) else (None, None)
    if response.is_success:
        if isinstance(sid, str) and SID.fullmatch(sid):
            return sid
        raise OutcomeUnknown("Twilio took it and named no id; it is looked up before anything is sent")
    if code in QUEUE_FULL:
        raise NotSent(f"Twilio is busy ({code}); it is tried again later", http.retry_after(response))
    if response.is_client_error and code in OF_THEIR_NUMBER:
        raise _refusal(code)
    http.require_not_refused_as_busy("Twilio", response)
    if response.status_code == 404:
        raise NotSent("Twilio does not know our account (404); check it: outreach doctor")
    if response.is_client_error and response.status_code != httpx.codes.REQUEST_TIMEOUT and isinstance(code, int):
        raise _refusal(code)
    raise OutcomeUnknown(f"Twilio answered {response.status_code}; it is looked up before anything is sent")


def _refusal(code: int) -> Refused:
    text = f"Twilio refused it for good ({reason_of(code)})"
    if code in OPTED_OUT:
        return ContactRefused(f"{text}; no more texts go to them unless they text START", "unsubscribed")
    if code in DEAD:
        return ContactRefused(f"{text}; ask them for another number, or write a letter", "bounced")
    return Refused(f"{text}; nothing is tried again by itself")


def _validity(handover: Handover) -> int:
    """For how many seconds Twilio may go on trying, within the hours of whom it is for. Raises NotNow after them."""
    validity = VALIDITY if handover.arrives_within is None else min(VALIDITY, handover.arrives_within - ON_ITS_WAY)
    if validity < ON_ITS_WAY:
        raise NotNow("the hours in which they may get a text are over; it goes in the next")
    return int(validity.total_seconds())


def _number_of(handover: Handover) -> str:
    phone = str(handover.recipient.get("phone") or "")
    if not E164.fullmatch(phone):
        raise Refused(f"{handover.reference} has no number that a text can go to; correct the number and write anew")
    return phone


def _words_of(handover: Handover) -> str:
    try:
        words = handover.content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Refused(f"{handover.reference} is not a text; compose it anew") from error
    if not 0 < len(words.strip()) <= len(words) <= LONGEST_BODY:
        raise Refused(f"{handover.reference} is empty or over {LONGEST_BODY} characters; compose it anew")
    return words


class _Form(dict[str, list[str]]):
    """Fields with all their values; the package's validator asks for them by this name."""

    def getall(self, name: str) -> list[str]:
        return self[name]


def _is_json(request: WebhookRequest) -> bool:
    return request.headers.get("content-type", "").partition(";")[0].strip().lower() == "application/json"


def _read_form(request: WebhookRequest) -> _Form:
    """The fields of the body. Strictly: what would be dropped in reading would not be under the signature."""
    try:
        if _is_json(request):
            fields = json.loads(request.body)
            return _Form({name: [str(value)] for name, value in fields.items() if value is not None})
        text = request.body.decode("ascii")
        return _Form(parse_qs(text, keep_blank_values=True, strict_parsing=True, errors="strict") if text else {})
    except (ValueError, AttributeError) as error:
        raise WebhookRefused("A webhook for Twilio is not in its format") from error


def _is_body_signed(request: WebhookRequest) -> bool:
    """Whether the signed address holds the hash of this body, as it does where the body is JSON."""
    hashes = parse_qs(urlsplit(request.url).query).get("bodySHA256", [""])
    return hmac.compare_digest(hashes[0].lower().encode(), hashlib.sha256(request.body).hexdigest().encode())


def _first(form: dict[str, list[str]], name: str) -> str:
    return form.get(name, [""])[0]


def _status_reports(request: WebhookRequest, form: dict[str, list[str]], sid: str, status: str) -> list[Report]:
    """What a status says: two things where a text failed because its recipient has opted out."""
    kind = KIND_OF.get(status)
    if kind is None:
        return []
    code = int(digits) if (digits := _first(form, "ErrorCode")).isdecimal() else 0
    marks = parse_qs(urlsplit(request.url).query)
    report = Report(
        event_id=f"{sid}.{status}",
        kind="bounced" if kind == "failed" and code in DEAD else kind,
        at=request.received_at,
        reference=_first(marks, "reference") or None,
        key=_first(marks, "key") or None,
        provider_id=sid,
        reason=f"Twilio could not deliver it ({reason_of(code)})" if code and kind == "failed" else None,
        raw=request.body,
    )
    if report.kind == "failed" and code in OPTED_OUT:
        return [report, replace(report, event_id=f"{sid}.unsubscribed", kind="unsubscribed")]
    return [report]
