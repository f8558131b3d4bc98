"""Imports a folder, or a saved source, and counts what was refused. It never repeats a customer's value."""

from pathlib import Path

from flows.artifacts import as_page, as_table, publish
from flows.parameters import Folder, MappingFile
from flows.runs import as_many, finish, flow, name_by_day, open_run
from outreach.errors import SettingsError
from outreach.intake.reports import ImportReport
from outreach.intake.saved_sources import import_at_night, source_of


@flow(name="intake", flow_run_name=name_by_day, persist_result=False)
def intake(folder: Folder, mapping: MappingFile = None) -> ImportReport:
    """Import a folder on the worker's machine, or a saved source; the exports of known systems are recognised."""
    if "://" in folder:
        raise SettingsError("Prefect keeps what is typed here: name the place in [[sources]], and give its name here")
    with open_run() as run:
        source = source_of(run.settings, folder, Path(mapping) if mapping else None)
        report = import_at_night(run.engine, source, run.settings, run.clock())
        # Not the files' names: an export for one person may be called after them.
        files = [(number, f.table, f.read, f.accepted, f.refused) for number, f in enumerate(report.files, start=1)]
        listed = as_table(["file", "into", "read", "accepted", "refused"], files)
        publish(run, as_page("Customer data", {"Files": listed}))
        return finish(run, report, say(report), size_of(report), "RefusedRows" if report.refused else "Completed")


def say(report: ImportReport) -> str:
    if report.refused:
        return (
            f"{report.refused} of {report.read} rows were refused; the desk's page “Import” says why, and "
            "`outreach import` on the same folder lists each"
        )
    return f"{report.read} rows read, none refused" if report.read else "Nothing to do: no rows in this folder"


def size_of(report: ImportReport) -> str:
    """How much it was, for the name of the run."""
    refused = [f"{report.refused} refused"] if report.refused else []
    return " · ".join([as_many(report.read, "row"), *refused]) if report.read else "nothing to do"
