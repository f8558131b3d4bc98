"""Gives e-mails to SendGrid, what was sealed as JSON, to one recipient each, and reads its signed events.

Contract: sendgrid.json (twilio/sendgrid-oai @dbe0e0d). It takes no key, so nothing is ever sent a second time, and it
must never rewrite what was approved: tracking and footers are turned off with every message.
"""

import hashlib
import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage, MIMEPart
from email.utils import parsedate_to_datetime
from typing import Any

import httpx
from sendgrid.helpers import mail as sg
from sendgrid.helpers.eventwebhook import EventWebhook
from sendgrid.helpers.mail.exceptions import SendGridException

from outreach.channels import EMAIL
from outreach.delivery.providers.dead_addresses import VAGUE, says_no_such_address
from outreach.delivery.providers.http import (
    BUSY,
    ask,
    date_of,
    hand_over,
    open_client,
    read_json,
    require_not_refused_as_busy,
    retry_after,
)
from outreach.delivery.providers.protocol import NO_KEYS, Handover, LookupResult, Report, WebhookRequest, stand_in
from outreach.delivery.providers.sealed_mail import name_in, read_sealed, subject_in
from outreach.delivery.providers.webhook_age import drop_stale, read_sent_at
from outreach.errors import NoAnswer, NotSent, OutcomeUnknown, Refused, WebhookRefused
from outreach.settings import Settings
from outreach.settings.providers import SendgridSettings
from outreach.settings.secrets import secret_of

# The contract keeps From, To, Subject and the content headers for SendGrid itself; these it lets us set.
OWN_HEADERS = ("Message-ID", "List-Unsubscribe", "List-Unsubscribe-Post", "X-Outreach-Reference")
SIGNATURE = "x-twilio-email-event-webhook-signature"
TIMESTAMP = "x-twilio-email-event-webhook-timestamp"
# Neither deferrals, which may pass, nor opens and clicks, which we have switched off.
KINDS = {
    "processed": "accepted",
    "delivered": "delivered",
    "spamreport": "complained",
    "unsubscribe": "unsubscribed",
    "group_unsubscribe": "unsubscribed",
}
# Why SendGrid dropped it on its own account; for any other reason the contact is not to blame.
DROPPED = {
    "bounced address": "bounced",
    "invalid": "bounced",
    "spam reporting address": "complained",
    "unsubscribed address": "unsubscribed",
}


def open_provider(settings: Settings) -> "Sendgrid":
    return Sendgrid(settings.providers.sendgrid)


class Sendgrid:
    name = "sendgrid"
    channels = frozenset({EMAIL.name})
    key_life = NO_KEYS

    def __init__(self, settings: SendgridSettings) -> None:
        self.per_second = settings.per_second
        # Only the e-mail activity add-on can search; without it, events or a person close what is open.
        self.absent_after = timedelta(minutes=settings.absent_after_minutes) if settings.activity else None
        self._public_key = settings.webhook_public_key
        authorization = {"Authorization": f"Bearer {secret_of(settings.api_key)}"}
        self._client = open_client(settings, headers=authorization)

    def close(self) -> None:
        self._client.close()

    def send(self, handover: Handover) -> str:
        """Their X-Message-Id; a 202 without one is acceptance too."""
        message, address = read_sealed(handover)
        request = self._client.build_request("POST", "/v3/mail/send", json=_body_of(message, address, handover))
        response = hand_over(self._client, request, handover.require_time)
        _require_accepted(response, handover.reference)
        return _bare_id(response.headers.get("X-Message-Id", "")) or stand_in(handover.key)

    def find(self, handover: Handover) -> list[str]:
        """Their ids for our reference; the add-on must be there."""
        if self.absent_after is None:
            where = "look for it in SendGrid's activity, or turn providers.sendgrid.activity on"
            raise NoAnswer(f"SendGrid cannot be asked about {handover.reference}; {where}")
        # The form of the query: delivery-semantics.json, and in use in public integrations; custom_args are its
        # unique_args.
        query = {"query": f'(unique_args["reference"]="{handover.reference}")', "limit": "1000"}
        response = ask(self._client, self._client.build_request("GET", "/v3/messages", params=query))
        return LookupResult(_ids_in(response), at=date_of(response))

    def parse_events(self, request: WebhookRequest) -> list[Report]:
        """What a signed webhook says; engagement, deferrals and what we have no word for are left out."""
        sent_at = self._verify(request)
        try:
            events = json.loads(request.body)
        except ValueError as error:
            raise WebhookRefused("the webhook from SendGrid is not JSON") from error
        if not isinstance(events, list) or not all(isinstance(event, dict) for event in events):
            raise WebhookRefused("the webhook from SendGrid is not a list of events")
        reports = (_report_of(event, request.received_at) for event in events)
        return drop_stale("SendGrid", [report for report in reports if report], sent_at, request)

    def _verify(self, request: WebhookRequest) -> datetime:
        """When it was sent. Raises WebhookRefused unless SendGrid signed this time and body (ECDSA, the raw bytes).

        The package does the elliptic curve; it needs text, and JSON that is not UTF-8 is none.
        """
        if not self._public_key:
            raise WebhookRefused("no public key is set for SendGrid: OUTREACH_PROVIDERS__SENDGRID__WEBHOOK_PUBLIC_KEY")
        timestamp = request.headers.get(TIMESTAMP, "")
        try:
            webhook = EventWebhook("".join(self._public_key.split()))
            is_signed = webhook.verify_signature(request.body.decode(), request.headers.get(SIGNATURE, ""), timestamp)
        except (ValueError, TypeError, AttributeError) as error:
            raise WebhookRefused("the signature of the webhook from SendGrid, or our key, cannot be read") from error
        if not is_signed:
            raise WebhookRefused("the webhook does not prove that SendGrid sent it")
        if not re.fullmatch(r"[0-9]{1,11}", timestamp):
            raise WebhookRefused("the webhook from SendGrid does not say when it was sent")
        return read_sent_at(int(timestamp), "SendGrid")


def _body_of(message: EmailMessage, address: str, handover: Handover) -> dict[str, Any]:
    """The sealed message in SendGrid's words, to exactly one recipient."""
    person = sg.Personalization()
    person.add_to(sg.To(address, name_in(message, "To")))
    for name, value in (("reference", handover.reference), ("key", handover.key)):
        person.add_custom_arg(sg.CustomArg(name, value))
    sender = message["From"].addresses[0].addr_spec
    body = sg.Mail(from_email=sg.From(sender, name_in(message, "From")), subject=subject_in(message))
    body.add_personalization(person)
    for name in OWN_HEADERS:
        if name in message:
            body.add_header(sg.Header(name, str(message[name])))
    for part in (message.get_body(("plain",)), message.get_body(("html",))):
        if part is not None:
            body.add_content(_content_of(part, handover.reference))
    body.tracking_settings, body.mail_settings = _leave_as_is()
    return dict(body.get())


def _content_of(part: MIMEPart, reference: str) -> sg.Content:
    try:
        return sg.Content(part.get_content_type(), part.get_content())
    except SendGridException as error:
        raise Refused(f"{reference} holds what looks like a key of SendGrid's; take it out of the template") from error


def _leave_as_is() -> tuple[sg.TrackingSettings, sg.MailSettings]:
    """Settings that keep the account's own from rewriting links, counting readers, or adding to the words."""
    tracking = sg.TrackingSettings(
        click_tracking=sg.ClickTracking(enable=False, enable_text=False),
        open_tracking=sg.OpenTracking(enable=False),
        subscription_tracking=sg.SubscriptionTracking(enable=False),
        ganalytics=sg.Ganalytics(enable=False),
    )
    return tracking, sg.MailSettings(footer_settings=sg.FooterSettings(enable=False))


def _require_accepted(response: httpx.Response, reference: str) -> None:
    status = response.status_code
    if status in BUSY:
        after = retry_after(response) or _until_reset(response)
        raise NotSent("SendGrid is busy (429); it is tried again later", after)
    require_not_refused_as_busy("SendGrid", response)
    if status in {404, 405}:
        raise NotSent(f"SendGrid has no such address ({status}); check providers.sendgrid.url, then it is tried again")
    if response.is_client_error and status != 408:
        answer = ", ".join([str(status), *_fields_named(response)])
        raise Refused(f"SendGrid refuses {reference} ({answer}); correct the address or the template, and write anew")
    # 200 is what its sandbox answers, which sends nothing; we never ask for that, so it says nothing for sure.
    if status != 202:
        raise OutcomeUnknown(f"SendGrid answered {status} to {reference}; it may have it. Nothing is sent again")


def _until_reset(response: httpx.Response) -> timedelta | None:
    """How long its X-RateLimit-Reset (epoch seconds, by its own clock) asks us to wait."""
    try:
        reset = datetime.fromtimestamp(int(response.headers["X-RateLimit-Reset"]), UTC)
        return max(timedelta(0), reset - parsedate_to_datetime(response.headers["Date"]))
    except (KeyError, ValueError, TypeError, OverflowError, OSError):
        return None


def _fields_named(response: httpx.Response) -> list[str]:
    """The fields of ours that its errors name; its words may hold an address and are left alone."""
    body = read_json(response)
    errors = body.get("errors") if isinstance(body, dict) else None
    fields = [error.get("field") for error in errors if isinstance(error, dict)] if isinstance(errors, list) else []
    return [field for field in fields if isinstance(field, str) and re.fullmatch(r"[a-z_.0-9]{1,60}", field)]


def _ids_in(response: httpx.Response) -> list[str]:
    body = read_json(response) if response.is_success else None
    messages = body.get("messages") if isinstance(body, dict) else None
    if not isinstance(messages, list):
        raise NoAnswer(f"SendGrid did not say what it has ({response.status_code})")
    ids = [_bare_id(message.get("msg_id")) if isinstance(message, dict) else "" for message in messages]
    if not all(ids):
        raise NoAnswer("SendGrid named a message without its id")
    return list(dict.fromkeys(ids))


def _bare_id(value: object) -> str:
    """The part of a message id that stands in X-Message-Id too: its first, before the name of a machine of theirs."""
    return value.strip().partition(".")[0] if isinstance(value, str) else ""


def _report_of(event: Mapping[str, Any], received_at: datetime) -> Report | None:
    kind, reason = _kind_of(event)
    if kind is None:
        return None
    raw = json.dumps(event, sort_keys=True, ensure_ascii=False).encode()
    at = event.get("timestamp")
    return Report(
        # One without an id is told by its content, which is the same however often it is sent.
        event_id=_text(event, "sg_event_id") or hashlib.sha256(raw).hexdigest(),
        kind=kind,
        at=datetime.fromtimestamp(at, UTC) if isinstance(at, int) and 0 <= at < 10**11 else received_at,
        reference=_text(event, "reference"),
        key=_text(event, "key"),
        provider_id=_bare_id(event.get("sg_message_id")) or None,
        reason=reason,
        raw=raw,
    )


def _kind_of(event: Mapping[str, Any]) -> tuple[str | None, str | None]:
    """Our word for an event and, where it failed, why: in codes or SendGrid's set phrases, never with an address."""
    name = _text(event, "event") or ""
    if name in {"bounce", "blocked", "expired"}:
        status = _text(event, "status") or ""
        status = status if re.fullmatch(r"[0-9.]{3,9}", status) else ""
        return "bounced" if _is_dead(event, status) else "failed", status or None
    if name == "dropped":
        reason = (_text(event, "reason") or "").strip().lower()
        return DROPPED.get(reason, "failed"), f"dropped: {reason}" if reason in DROPPED else "dropped"
    return KINDS.get(name), None


def _is_dead(event: Mapping[str, Any], status: str) -> bool:
    """Whether a bounce says that the address does not exist: its status tells, then its words, then SendGrid's own.

    Of "type", "blocked" passes; but "bounce" is said of full mailboxes and reputations too.
    """
    if says_no_such_address(status, _text(event, "reason") or ""):
        return True
    if status not in VAGUE:
        return False
    classified = _text(event, "bounce_classification") or "unclassified"
    says_nothing = not status and not _text(event, "reason") and classified.lower() == "unclassified"
    return event.get("type") == "bounce" and (says_nothing or classified.lower() == "invalid address")


def _text(event: Mapping[str, Any], name: str) -> str | None:
    value = event.get(name)
    return value if isinstance(value, str) and value else None
