"""Closes what is still open, by looking it up or because its time is over.

At its end it says which alarms stand: in its artifact, and by an event for each, for automations to act on.
"""

from collections.abc import Sequence

from flows.artifacts import as_page, as_table, publish
from flows.runs import finish, flow, name_by_day, open_run, outcomes_of
from outreach.database import reading
from outreach.learning.alarms import Alarm, find_alarms
from outreach.prefect_events import announce, prefect_address
from outreach.tracking.lookup import TrackReport, track_open


@flow(name="track", flow_run_name=name_by_day, persist_result=False, retries=0)
def track() -> TrackReport:
    """Close what is open: interrupted hand-overs, messages left without an answer, and messages out of time."""
    with open_run() as run:
        report = track_open(run.engine, run.settings, run.clock)
        # After the tracking: what it has closed is no alarm any more.
        with reading(run.engine) as session:
            alarms = find_alarms(session, run.settings, run.clock())
        for alarm in alarms:
            announce_alarm(prefect_address(), alarm)
        publish(run, as_page("Tracked", sections_of(report, alarms)))
        return finish(run, report, say(report, alarms), size_of(report))


def announce_alarm(address: str, alarm: Alarm) -> bool:
    """Whether Prefect took the event `outreach.alarm.<kind>`; every run says again what still stands."""
    event = f"outreach.alarm.{alarm.kind}"
    payload = {
        "count": alarm.count,
        "since": alarm.since.isoformat(),
        "sentence": alarm.sentence,
        "advice": alarm.advice,
        "runbook": alarm.runbook,
    }
    return announce(address, event, event, payload)


def sections_of(report: TrackReport, alarms: Sequence[Alarm]) -> dict[str, str]:
    rows = [(alarm.kind, alarm.sentence, alarm.advice, alarm.runbook) for alarm in alarms]
    return {
        "Alarms that stand": as_table(["alarm", "what is wrong", "what to do", "more in"], rows),
        "Outcomes": as_table(["outcome", "number"], closed_by(report)),
    }


def closed_by(report: TrackReport) -> list[tuple[str, int]]:
    return [(name.replace("_", " "), number) for name, number in outcomes_of(report).items() if number]


def size_of(report: TrackReport) -> str:
    """What the run's name says of its size."""
    return " · ".join(f"{number} {name}" for name, number in closed_by(report)) or "nothing open"


def say(report: TrackReport, alarms: Sequence[Alarm]) -> str:
    summary = ", ".join(f"{number} {name}" for name, number in closed_by(report)) or "Nothing to do: nothing is open"
    if not alarms:
        return summary
    stands = "1 alarm stands" if len(alarms) == 1 else f"{len(alarms)} alarms stand"
    return f"{summary}. {stands}: {', '.join(alarm.kind for alarm in alarms)}"


if __name__ == "__main__":
    track()
