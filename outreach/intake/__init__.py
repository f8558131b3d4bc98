"""Room 1, intake: customer data in; checked rows in the database, and a list of what was refused and why, out.

Bad rows never stop good ones, and no refusal repeats what a customer's cell said.
"""

from outreach.intake.dates import redate
from outreach.intake.mapping import Mapping, read_mapping
from outreach.intake.reports import ImportReport
from outreach.intake.run import import_folder

__all__ = ["ImportReport", "Mapping", "import_folder", "read_mapping", "redate"]
