"""Holds a drill: senders on a database of its own are killed at random, and the vendors' logs are counted in the end.

Nothing outside this machine is spoken to, and no database that holds anybody's messages is touched.
"""

import json
import random
import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from outreach.clock import steady_seconds, system_clock
from outreach.database import open_database
from outreach.delivery.sender import deliver_due
from outreach.drill.backups import Backup, know_better, take_backup
from outreach.drill.database import OwnDatabase, make_database
from outreach.drill.ledger import LedgerTally, Line, count, read_log
from outreach.drill.messages import Feeder
from outreach.drill.options import LATE_SECONDS, DrillOptions, Plan, make_settings, measure_pace
from outreach.drill.orders import Orders, open_nursery
from outreach.drill.postman import result_file
from outreach.drill.result import DrillResult
from outreach.drill.senders import POINTS, Board
from outreach.errors import DatabaseError, OutreachError
from outreach.settings import Settings
from outreach.tracking.lookup import track_open

Tell = Callable[[str], None]
# A kill comes so long after the last at the most; of a hundred, so many are stops, of so many leases.
KILL_SECONDS = 0.35
# Left to chance alone, nearly all would hit while a sender waits for a vendor: half are aimed at a point.
AIMED_IN_A_HUNDRED, AIM_SECONDS, LOOK_SECONDS = 50, 1.5, 0.005
SHORT = [point for point in POINTS if point not in ("starting", "sending")]
STOPS_IN_A_HUNDRED, STOPPED_LEASES = 15, (1.2, 3.0)
OPT_OUTS_IN_A_HUNDRED = 30
# Below so many approved messages, so many more are handed in.
FEW, FED = 30, 40
START_SECONDS, TELL_SECONDS = 120.0, 3.0
# While fewer and fewer messages are open the end is waited for; where none was closed for so long, they are stuck.
STUCK_SECONDS, MOST_END_SECONDS = 90.0, 1200.0
# How often in a hundred kills clocks jump first, and how far at the most.
JUMPS_IN_A_HUNDRED, JUMP_SECONDS = 60, 40.0
# After which share of the kills a backup is taken, and after which ones are restored: that one, and the very first.
BACKED_UP_AT, RESTORED_AT = 0.3, (0.6, 1.0)


def run_drill(options: DrillOptions, tell: Tell = lambda _: None) -> DrillResult:
    """Kills senders `options.kills` times and counts, from the vendors' logs, what became of every message.

    Raises DatabaseError where `options.database` cannot be used, and OutreachError when the drill cannot be held.
    """
    folder = Path(tempfile.mkdtemp(prefix="outreach-drill-"))
    is_kept = False
    try:
        database = make_database(options.database, folder)
        try:
            result = _hold(options, database, folder, tell)
            is_kept = result.folder is not None
            return result
        finally:
            if not is_kept:
                database.drop()
    finally:
        if not is_kept:
            shutil.rmtree(folder)


def _hold(options: DrillOptions, database: OwnDatabase, folder: Path, tell: Tell) -> DrillResult:
    began = steady_seconds()
    machines = 2 if options.restore else 1
    plan = Plan(
        folder, database.url, options.seed, tuple(options.vendors), options.naive, options.senders, machines,
        measure_pace(),
    )  # fmt: skip
    with open_nursery(plan) as nursery:
        drill = Drill(options, plan, nursery.give("start_vendors"), nursery, tell)
        drill.begin()
        drill.disturb()
        drill.end()
        tally, webhooks = drill.tally(), drill.webhooks()
    result = DrillResult(
        options, database.shown, tally, drill.killed, drill.stopped, drill.fell_over, webhooks,
        steady_seconds() - began, folder, drill.restores, drill.unnoticed, drill.jumps, plan.pace, drill.slow,
    )  # fmt: skip
    return replace(result, folder=None) if result.passed or options.naive else result


class Drill:
    """One drill while it is held."""

    def __init__(
        self, options: DrillOptions, plan: Plan, ports: Mapping[str, int], nursery: Orders, tell: Tell
    ) -> None:
        self.options, self.plan, self.ports, self.nursery, self.tell = options, plan, ports, nursery, tell
        self.settings = make_settings(plan, ports)
        self.engine = open_database(plan.database_url)
        self.rng = random.Random(f"drill {options.seed}")  # noqa: S311
        self.feeder = Feeder(self.engine, self.settings, list(plan.vendors), self.rng)
        self.board = Board(plan.folder / "board", plan.senders)
        self.killed: Counter[str] = Counter()
        self.stopped: Counter[str] = Counter()
        self.fell_over = 0
        self.stopped_until: dict[int, float] = {}
        self.told_at = steady_seconds()
        self.first: Backup | None = None
        self.latest: Backup | None = None
        self.restores = self.unnoticed = self.jumps = 0
        self.slow = False
        #: When tries were begun that a restored database has forgotten.
        self.tries: dict[str, datetime] = {}

    @property
    def done(self) -> int:
        return self.killed.total() + self.stopped.total()

    def begin(self) -> None:
        self.nursery.give("warm_up")
        self.feeder.feed(FED)
        if self.options.restore:
            # Another machine that sends from this database gets a copy of the mark: that is how it is told from a copy.
            self.plan.mark_of(1).parent.mkdir()
            shutil.copy(self.plan.mark_of(0), self.plan.mark_of(1))
            self.first = take_backup(self.engine, self.plan.folder / "before the first delivery.db")
        self._start()

    def _start(self) -> None:
        for sender in range(self.options.senders):
            self.nursery.give("start_sender", sender)
        # A job queue knows nothing of what vendors say later.
        if not self.options.naive:
            self.nursery.give("start_postman")

    def disturb(self) -> None:
        """Kills and stops senders at random, while messages come in and people opt out."""
        while self.done < self.options.kills:
            if self.feeder.count("approved") < FEW:
                self.feeder.feed(FED)
            if self.rng.randrange(100) < OPT_OUTS_IN_A_HUNDRED:
                self.feeder.opt_out()
            if self.options.clocks and self.rng.randrange(100) < JUMPS_IN_A_HUNDRED:
                self._jump()
            self._hit(self._choose())
            if self.options.restore:
                self._back_up_and_restore()
            self._tell_progress(f"{self.done} of {self.options.kills} kills")

    def _jump(self) -> None:
        """Sets one sender's clock ahead or back, as when somebody sets it, or a machine wakes with a wrong one."""
        self.board.set_clock(self.rng.randrange(self.options.senders), self.rng.uniform(-JUMP_SECONDS, JUMP_SECONDS))
        self.jumps += 1

    def _back_up_and_restore(self) -> None:
        share = self.done / self.options.kills
        if self.latest is None and share >= BACKED_UP_AT:
            self.latest = take_backup(self.engine, self.plan.folder / "in between.db")
        for backup, at in zip((self.latest, self.first), RESTORED_AT, strict=True):
            if backup and share >= at and self.restores == RESTORED_AT.index(at):
                self._restore(backup)

    def _restore(self, backup: Backup) -> None:
        """Restores a backup as the pages say: all stopped, the list brought again, looked up, and planned again."""
        machines = [make_settings(self.plan, self.ports, machine) for machine in range(self.plan.machines)]
        patient_until = steady_seconds() + START_SECONDS * self.plan.pace
        while len(know_better(self.engine, backup, machines)) < len(machines) and steady_seconds() < patient_until:
            time.sleep(LOOK_SECONDS)
        self.tries |= self.feeder.tries()
        self.nursery.give("stop_all")
        self.stopped_until.clear()
        knowing = know_better(self.engine, backup, machines)
        backup.restore()
        self.restores += 1
        # Refused on all: what one of them has looked after, the others may send from again.
        self.unnoticed += len(knowing) - sum([self._is_refused(settings) for settings in knowing])
        self.feeder.bring_do_not_contact()
        for settings in machines:
            track_open(self.engine, settings, system_clock, after_restore=True)
        self.feeder.plan_again()
        self._start()

    def _is_refused(self, settings: Settings) -> bool:
        try:
            deliver_due(self.engine, settings, system_clock, f"on a restored database {self.restores}")
        except DatabaseError:
            return True
        return False

    def _choose(self) -> int:
        """A sender that is at work; waits where all are stopped."""
        while not (awake := [n for n in range(self.options.senders) if self._is_awake(n)]):
            time.sleep(0.05)
        return self.rng.choice(awake)

    def _is_awake(self, sender: int) -> bool:
        return self.stopped_until.get(sender, 0.0) < steady_seconds()

    def _hit(self, sender: int) -> None:
        self._await_start(sender)
        self._await_moment(sender)
        is_stop = self.rng.randrange(100) < STOPS_IN_A_HUNDRED
        seconds = self.rng.uniform(*STOPPED_LEASES) * self.plan.lease_seconds
        point = self.nursery.give("stop", sender, seconds) if is_stop else self.nursery.give("kill", sender)
        self.board.await_at(sender, "starting")
        if point == "fell over":
            self.fell_over += 1
        else:
            (self.stopped if is_stop else self.killed)[point] += 1
        if is_stop and point != "fell over":
            self.stopped_until[sender] = steady_seconds() + seconds
        else:
            self.nursery.give("start_sender", sender)

    def _await_moment(self, sender: int) -> None:
        """Waits for a moment to strike: any, or the next at which the sender comes to a certain point."""
        if self.rng.randrange(100) >= AIMED_IN_A_HUNDRED:
            time.sleep(self.rng.uniform(0, KILL_SECONDS))
            return
        point, patient_until = self.rng.choice(SHORT), steady_seconds() + AIM_SECONDS
        self.board.await_at(sender, point)
        while self.board.where(sender) != point and steady_seconds() < patient_until:
            time.sleep(LOOK_SECONDS)

    def _await_start(self, sender: int) -> None:
        patient_until = steady_seconds() + START_SECONDS * self.plan.pace
        while self.board.where(sender) == "starting":
            if steady_seconds() > patient_until:
                raise OutreachError("A sender of the drill does not start; this machine may be too busy")
            time.sleep(LOOK_SECONDS)

    def end(self) -> None:
        """Lets the senders finish undisturbed, and tracks once more; what is open after that stays open."""
        for sender in range(self.options.senders):
            self.board.set_clock(sender, 0.0)
        self._await_end()
        # What a vendor takes late would be counted too late.
        time.sleep(LATE_SECONDS * self.plan.pace * 1.5)
        self.fell_over += len(self.nursery.give("finish"))
        if not self.options.naive:
            track_open(self.engine, self.settings, system_clock)

    def _await_end(self) -> None:
        """Waits until nothing is open any more, as long as there is less and less of it."""
        began = closed_at = steady_seconds()
        fewest = self.feeder.made
        while left := self.feeder.count_open():
            now = steady_seconds()
            if left < fewest:
                fewest, closed_at = left, now
            if now - closed_at > STUCK_SECONDS * self.plan.pace:
                return
            if now - began > MOST_END_SECONDS * self.plan.pace:
                self.slow = True
                return
            self._tell_progress(f"{left} messages are still open")
            time.sleep(0.2)

    def _tell_progress(self, what: str) -> None:
        if steady_seconds() - self.told_at >= TELL_SECONDS:
            self.told_at = steady_seconds()
            taken = sum(line.outcome == "taken" for line in self._lines())
            self.tell(f"{what}; {self.feeder.made} messages handed in, {taken} taken by the vendors")

    def _lines(self) -> list[Line]:
        return [line for name in self.plan.vendors for line in read_log(self.plan.log_of(name))[0]]

    def tally(self) -> LedgerTally:
        lines, records, tries = self._lines(), self.feeder.records(), self.tries | self.feeder.tries()
        if self.options.restore:
            # To put a try in doubt writes that instant over its own; it cannot have begun after it came.
            came = {line.key: datetime.fromtimestamp(line.at, UTC) for line in lines}
            tries = {key: min(at, came.get(key, at)) for key, at in tries.items()}
        if self.options.clocks:
            # Our own record of a try is by a wrong clock. The vendor says when it came, which may be a stop later.
            late = timedelta(seconds=STOPPED_LEASES[1] * self.plan.lease_seconds + LATE_SECONDS * self.plan.pace + 2)
            records = [replace(r, opted_out_at=r.opted_out_at and r.opted_out_at + late) for r in records]
            tries = {}
        return count(lines, records, tries)

    def webhooks(self) -> dict[str, int]:
        file = result_file(self.plan)
        return dict(json.loads(file.read_text())) if file.exists() else {}
