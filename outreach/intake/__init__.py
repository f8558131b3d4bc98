"""Room 1, intake: customer data in; checked rows in the database, and a list of what was refused and why, out.

Bad rows never stop good ones, and no refusal repeats what a customer's cell said.
"""

from outreach.intake.changes import read_since
from outreach.intake.database_tables import open_tables
from outreach.intake.dates import reading_dated, redate
from outreach.intake.mapping import Mapping, read_mapping
from outreach.intake.reports import ImportReport
from outreach.intake.run import import_data, import_folder
from outreach.intake.sources import Folder

__all__ = [
    "Folder",
    "ImportReport",
    "Mapping",
    "import_data",
    "import_folder",
    "open_tables",
    "read_mapping",
    "read_since",
    "reading_dated",
    "redate",
]
