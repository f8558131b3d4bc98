"""Approved messages that are due in; hand-overs to providers out.

Prefect never retries it: whether a message may be handed over again is for the outbox alone to say.
"""

from flows.runs import as_page, as_table, finish, flow, name_by_day, open_run, outcomes_of, publish, sender_name
from flows.spreading import spreading
from outreach.day import deliver_day
from outreach.delivery import DeliverReport


@flow(name="deliver", flow_run_name=name_by_day, persist_result=False, retries=0)
def deliver() -> DeliverReport:
    """Send what is approved and due, each message once."""
    with open_run() as run:
        # A line for each message would bury the run's log; the counts are on its artifact.
        with spreading("deliver", run.log.info) as call_help:
            report = deliver_day(run.engine, run.settings, run.clock, sender_name(), run.log.debug, call_help)
        rows = [(name, number) for name, number in outcomes_of(report).items() if number]
        sent = as_table(["channel", "number"], sorted(report.sent.items()))
        outcomes = as_table(["outcome", "number"], rows)
        publish(as_page(f"Delivered on {report.on}", {"Sent": sent, "Outcomes": outcomes}))
        return finish(say(report), report)


def say(report: DeliverReport) -> str:
    sent, left = report.sent.total(), {"waiting", "undoable", "paused", "over_cap", "before"}
    closed = {name: number for name, number in outcomes_of(report).items() if number and name not in left}
    if not sent and not closed:
        return "Nothing to do: nothing that is approved is due"
    return ", ".join([f"{sent} sent", *(f"{number} {name.replace('_', ' ')}" for name, number in closed.items())])


if __name__ == "__main__":
    deliver()
