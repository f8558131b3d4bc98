"""Posts the simulated vendors' webhooks to the real pages: shuffled, some of them doubled and a few forged.

The pages run in this process, so that no port is needed. It counts what they answered, and never writes to our tables
itself.
"""

import asyncio
import heapq
import json
import random
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import httpx
from sqlalchemy import Engine

from outreach.clock import steady_seconds, system_clock
from outreach.drill.ledger import Line, read_log
from outreach.drill.lob import SimulatedLob
from outreach.drill.options import Plan
from outreach.drill.senders import Board
from outreach.drill.twilio import SimulatedTwilio
from outreach.drill.vendors import Speech, WebhookCall
from outreach.settings import Settings
from outreach.web.app import create_app

SPEECHES: dict[str, type[Speech]] = {"lob": SimulatedLob, "twilio": SimulatedTwilio}
# Vendors report on so many messages in a hundred; on the others they stay silent, and look-ups must do.
REPORTED, DOUBLED, FORGED = 40, 30, 4
MOST_SECONDS_LATE = 1.0
DELIVERIES = 3
LOOK_SECONDS = 0.05


def result_file(plan: Plan) -> Path:
    return plan.folder / "webhooks.json"


@dataclass(order=True)
class Letter:
    """A webhook that is to be posted at `due`."""

    due: float
    number: int
    speech: Speech = field(compare=False)
    line: Line = field(compare=False)
    index: int = field(compare=False)
    forged: bool = field(compare=False, default=False)
    tries: int = field(compare=False, default=0)


class Postman:
    """Reads what was taken, waits a little, and says so: in any order, and some of it twice."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.speeches = {name: SPEECHES[name]() for name in plan.vendors}
        self.read_to = dict.fromkeys(plan.vendors, 0)
        self.rng = random.Random(f"postman {plan.seed}")  # noqa: S311
        self.waiting: list[Letter] = []
        self.counts: Counter[str] = Counter()
        self.number = 0

    def collect(self) -> None:
        """Takes in what the vendors have taken since it last looked."""
        for name, speech in self.speeches.items():
            lines, self.read_to[name] = read_log(self.plan.log_of(name), self.read_to[name])
            for line in lines:
                if line.outcome == "taken" and self.rng.randrange(100) < REPORTED:
                    self._expect(speech, line)

    def _expect(self, speech: Speech, line: Line) -> None:
        for index in range(len(self._calls(speech, line))):
            times = 2 if self.rng.randrange(100) < DOUBLED else 1
            for _ in range(times):
                self._push(Letter(0.0, 0, speech, line, index))
        if self.rng.randrange(100) < FORGED:
            self._push(Letter(0.0, 0, speech, line, 0, forged=True))

    def _calls(self, speech: Speech, line: Line) -> list[WebhookCall]:
        # The same of one message every time, whichever of its webhooks is asked for.
        return speech.webhooks(line, random.Random(line.provider_id))  # noqa: S311

    def _push(self, letter: Letter) -> None:
        self.number += 1
        letter.due = steady_seconds() + self.rng.uniform(0, MOST_SECONDS_LATE)
        letter.number = self.number
        heapq.heappush(self.waiting, letter)

    async def post_due(self, client: httpx.AsyncClient) -> bool:
        """Posts the next one that is due, signed just now; False when there is none."""
        if not self.waiting or self.waiting[0].due > steady_seconds():
            return False
        letter = heapq.heappop(self.waiting)
        call = self._calls(letter.speech, letter.line)[letter.index]
        body = call.body + b"&" if letter.forged else call.body
        answer = await client.post(call.url, content=body, headers=call.headers)
        self.counts[f"{'forged' if letter.forged else 'genuine'}, answered {answer.status_code}"] += 1
        letter.tries += 1
        if answer.status_code >= 500 and letter.tries < DELIVERIES:
            self._push(letter)
        return True


def post_until_over(plan: Plan, engine: Engine, settings: Settings, board: Board) -> None:
    """Posts webhooks until the drill is over and all is said; leaves its counts in the drill's folder."""
    postman = Postman(plan)
    asyncio.run(_post(postman, engine, settings, board))
    result_file(plan).write_text(json.dumps(postman.counts))


async def _post(postman: Postman, engine: Engine, settings: Settings, board: Board) -> None:
    app = create_app(engine, settings, system_clock)
    # A page that fails answers 500, as a server would: the vendor tells it again, and the drill goes on.
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url=settings.business.public_url) as client:
        is_over = False
        while not (is_over and not postman.waiting):
            # In this order: what is taken before the end is still collected.
            is_over = board.is_over
            postman.collect()
            if not await postman.post_due(client):
                await asyncio.sleep(LOOK_SECONDS)
