"""Imports a folder of customer data, and counts what was refused. Never repeats a customer's value."""

from pathlib import Path

from flows.artifacts import as_page, as_table, publish
from flows.parameters import Folder, MappingFile
from flows.runs import as_many, finish, flow, name_by_day, open_run
from outreach.intake.mapping.files import read_mapping
from outreach.intake.reports import ImportReport
from outreach.intake.run import import_folder


@flow(name="intake", flow_run_name=name_by_day, persist_result=False)
def intake(folder: Folder, mapping: MappingFile = None) -> ImportReport:
    """Import the files of a folder on the worker's machine, through a mapping file where their columns differ."""
    with open_run() as run:
        read = read_mapping(Path(mapping)) if mapping else None
        report = import_folder(run.engine, Path(folder), run.settings, run.clock(), read)
        # Not the files' names: an export for one person may be called after them.
        files = [(number, f.table, f.read, f.accepted, f.refused) for number, f in enumerate(report.files, start=1)]
        listed = as_table(["file", "into", "read", "accepted", "refused"], files)
        publish(run, as_page("Customer data", {"Files": listed}))
        return finish(run, report, say(report), size_of(report), "RefusedRows" if report.refused else "Completed")


def say(report: ImportReport) -> str:
    if report.refused:
        return (
            f"{report.refused} of {report.read} rows were refused; `outreach import` on the same folder lists each "
            "with its reason"
        )
    return f"{report.read} rows read, none refused" if report.read else "Nothing to do: no rows in this folder"


def size_of(report: ImportReport) -> str:
    """How much it was, for the name of the run."""
    refused = [f"{report.refused} refused"] if report.refused else []
    return " · ".join([as_many(report.read, "row"), *refused]) if report.read else "nothing to do"
