"""A folder of customer data in; the database and a count of what was refused out. Never repeats a customer's value."""

from pathlib import Path

from flows.runs import as_page, as_table, finish, flow, name_by_day, open_run, publish
from outreach.intake import ImportReport, import_folder, read_mapping


@flow(name="intake", flow_run_name=name_by_day, persist_result=False)
def intake(folder: str, mapping: str | None = None) -> ImportReport:
    """Import the files of a folder on the worker's machine, through a mapping file where their columns differ."""
    with open_run() as run:
        read = read_mapping(Path(mapping)) if mapping else None
        report = import_folder(run.engine, Path(folder), run.settings, run.clock(), read, run.tell)
        files = [(f.file, f.table, f.read, f.accepted, f.refused) for f in report.files]
        listed = as_table(["file", "into", "read", "accepted", "refused"], files)
        publish(as_page("Customer data", {"Files": listed}))
        return finish(say(report), report)


def say(report: ImportReport) -> str:
    read, refused = (sum(getattr(file, name) for file in report.files) for name in ("read", "refused"))
    if refused:
        return f"{refused} of {read} rows were refused; `outreach import` on the same folder lists each with its reason"
    return f"{read} rows read, none refused" if read else "Nothing to do: no rows in this folder"
