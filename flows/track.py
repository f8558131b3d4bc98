"""Messages that are still open in; what could be closed by looking it up, or because its time is over, out."""

from flows.runs import as_page, as_table, finish, flow, name_by_day, open_run, outcomes_of, publish
from outreach.tracking import TrackReport, track_open


@flow(name="track", flow_run_name=name_by_day, persist_result=False, retries=0)
def track() -> TrackReport:
    """Close what is open: interrupted hand-overs, messages left without an answer, and messages out of time."""
    with open_run() as run:
        report = track_open(run.engine, run.settings, run.clock, run.log.debug)
        closed = [(name.replace("_", " "), number) for name, number in outcomes_of(report).items() if number]
        publish(as_page("Tracked", {"Outcomes": as_table(["outcome", "number"], closed)}))
        said = ", ".join(f"{number} {name}" for name, number in closed)
        return finish(said or "Nothing to do: nothing is open", report)


if __name__ == "__main__":
    track()
