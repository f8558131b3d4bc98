"""POST /alarms: has what an automation of Prefect says e-mailed to ops, for those who bring the token.

It is there only where alarms go to an e-mail address. Whatever is refused leaves nothing but a line in the log.
"""

import hmac
import json
import logging
import math
from collections import deque
from datetime import datetime, timedelta
from threading import Lock

from fastapi import HTTPException, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse
from sqlalchemy import Engine

from outreach.clock import Clock
from outreach.contacts import load_key
from outreach.delivery.staff_mail.alarms import alarm_token, mail_alarm
from outreach.errors import OutcomeUnknown, OutreachError
from outreach.settings import Settings
from outreach.web.webhooks import read_body

log = logging.getLogger("outreach.web")
MAX_BODY = 20_000
NOT_SENT = "not sent; the log of the desk says why"
MOST_AN_HOUR, AN_HOUR = 30, timedelta(hours=1)


class AlarmDoor:
    """Where automations call. It lets through at most 30 alarms an hour, so that no loop fills somebody's mailbox."""

    def __init__(self, engine: Engine, settings: Settings, clock: Clock) -> None:
        self.engine, self.settings, self.clock = engine, settings, clock
        self.taken: deque[datetime] = deque(maxlen=MOST_AN_HOUR)
        self.taking = Lock()
        self.token = ""

    async def take(self, request: Request) -> Response:
        """Answers 200 once it left, 401 without the token, 413 and 429 for too much, 400 where it is no alarm."""
        if self.settings.ops.alarms_go_by != "email":
            raise HTTPException(404)
        try:
            is_known = await run_in_threadpool(self._knows, request.headers.get("authorization", ""))
        except OutreachError as error:
            log.error("nobody can be told of an alarm: %s", error)
            return _say(NOT_SENT, 503)
        if not is_known:
            return _say("the token is missing or wrong", 401, {"WWW-Authenticate": "Bearer"})
        body = await read_body(request, MAX_BODY)
        if body is None:
            return _say(f"longer than {MAX_BODY} bytes", 413)
        words = _read_words(body)
        if words is None:
            return _say('send {"subject": "…", "body": "…"} as JSON', 400)
        now = self.clock()
        # Last of the checks: what is refused for another reason must not use up the alarms of the hour.
        if wait := self._take_turn(now):
            return _say("too many alarms in an hour", 429, {"Retry-After": str(math.ceil(wait.total_seconds()))})
        return await run_in_threadpool(self._mail, *words, now)

    def _knows(self, authorization: str) -> bool:
        # The key does not change while this process lives, and looking it up asks the database.
        self.token = self.token or alarm_token(load_key(self.engine, self.settings))
        scheme, _, given = authorization.partition(" ")
        # In constant time: how long an answer takes must not tell how much of a guess was right.
        is_ours = hmac.compare_digest(given.strip().encode("utf-8", "replace"), self.token.encode())
        return is_ours and scheme.lower() == "bearer"

    def _take_turn(self, now: datetime) -> timedelta | None:
        """How long to wait, where so many were let through within the last hour; None lets this one through."""
        with self.taking:
            if len(self.taken) == MOST_AN_HOUR and now - self.taken[0] < AN_HOUR:
                return self.taken[0] + AN_HOUR - now
            self.taken.append(now)
            return None

    def _mail(self, subject: str, body: str, now: datetime) -> Response:
        try:
            mail_alarm(self.settings, subject, body, now)
        except OutcomeUnknown:
            return _say("it may have been sent", 202)
        except OutreachError as error:
            log.error("an alarm was not sent: %s", error)
            return _say(NOT_SENT, 503)
        return _say("sent", 200)


def _say(status: str, code: int, headers: dict[str, str] | None = None) -> Response:
    return JSONResponse({"status": status}, code, headers)


def _read_words(body: bytes) -> tuple[str, str] | None:
    try:
        fields = json.loads(body)
        subject, words = fields["subject"], fields["body"]
    # RecursionError: JSON within JSON, thousands deep, is more than Python's parser follows.
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    is_said = isinstance(subject, str) and isinstance(words, str) and subject.strip()
    return (subject, words) if is_said else None
