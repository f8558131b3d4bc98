"""Messages that are still open in; what could be closed by looking it up, or because its time is over, out."""

from flows.artifacts import as_page, as_table, publish
from flows.runs import finish, flow, name_by_day, open_run, outcomes_of
from outreach.tracking import TrackReport, track_open


@flow(name="track", flow_run_name=name_by_day, persist_result=False, retries=0)
def track() -> TrackReport:
    """Close what is open: interrupted hand-overs, messages left without an answer, and messages out of time."""
    with open_run() as run:
        report = track_open(run.engine, run.settings, run.clock)
        closed = [(name.replace("_", " "), number) for name, number in outcomes_of(report).items() if number]
        publish(run, as_page("Tracked", {"Outcomes": as_table(["outcome", "number"], closed)}))
        said = [f"{number} {name}" for name, number in closed]
        message = ", ".join(said) or "Nothing to do: nothing is open"
        return finish(run, report, message, " · ".join(said) or "nothing open")


if __name__ == "__main__":
    track()
