"""The command status: counts of all messages, and the alarms that stand."""

from collections.abc import Sequence

import typer

from outreach.commands.context import open_context
from outreach.commands.options import AsJson, Database, Now
from outreach.console import MESSAGES_COUNTED_BY, as_plain, print_json, print_table, say
from outreach.database import reading
from outreach.delivery.control import pauses
from outreach.learning.alarms import Alarm, find_alarms
from outreach.learning.counts import StatusReport, count_messages
from outreach.models import Pause

app = typer.Typer(rich_markup_mode=None)


@app.command()
def status(database: Database = None, now: Now = None, as_json: AsJson = False) -> None:
    """Count messages by moment, channel and status; the counts always add up. Say which alarms stand."""
    context = open_context(database, now, as_json)
    with reading(context.engine) as session:
        alarms = find_alarms(session, context.settings, context.now)
        show_status(count_messages(session), pauses.list_pauses(session), alarms, as_json)


def show_status(report: StatusReport, pauses: Sequence[Pause], alarms: Sequence[Alarm], as_json: bool) -> None:
    if as_json:
        return print_json({**as_plain(report), "pauses": list(pauses), "alarms": list(alarms)})
    for alarm in alarms:
        say(f"ALARM {alarm.kind}: {alarm.sentence}\n  {alarm.advice} More in {alarm.runbook}")
    for pause in pauses:
        say(f"PAUSED since {pause.at:%Y-%m-%d %H:%M} UTC: {pause.scope} {pause.name}".rstrip())
    for incident in report.incidents:
        what = f"{incident.provider} {incident.reference or ''}".strip()
        say(f"LOOK AT {incident.at:%Y-%m-%d %H:%M} UTC, {what}: {incident.what}")
    for provider, number in report.refused_webhooks.items():
        say(f"REFUSED {number} webhooks for {provider} proved nothing")
    for waiting in report.put_off:
        say(f"NOT NOW {waiting.sentence}")
    for (kind, channel, reason), number in sorted(report.set_aside.items()):
        say(f"SET ASIDE {number} {kind} by {channel}, until this is mended: {reason}")
    print_table("Messages", [*MESSAGES_COUNTED_BY, "number"], sorted((*key, n) for key, n in report.messages.items()))
    say(
        f"{report.moments} moments found: {report.decisions['send']} to send, {report.decisions['not_yet']} not yet, "
        f"{report.decisions['never']} never. {sum(report.messages.values())} messages."
    )
    return None
