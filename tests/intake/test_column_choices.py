"""What a person says of the columns of their files becomes a mapping, and the next file of the kind is known by it."""

from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine

from intake_data import stored, write
from outreach.errors import MappingRefused, NotRecognised
from outreach.intake.mapping.column_choices import (
    ColumnChoice,
    SheetChoices,
    find_title,
    list_targets,
    propose_choices,
    save_mapping,
    write_mapping,
)
from outreach.intake.mapping.draft_parts import SheetSample
from outreach.intake.mapping.files import read_mapping
from outreach.intake.recognition import choose_mapping
from outreach.intake.run import import_data
from outreach.intake.sheets import read_sheets
from outreach.intake.sources.origins import Folder
from outreach.models import Consent, Customer, Treatment, Visit
from outreach.settings import Settings

NOW = datetime(2026, 3, 10, 15, 0, tzinfo=UTC)
HEADER = ["Ref", "Called", "Surname", "Mail", "Born", "Shoe size"]
ROWS = (["7", "Ada", "Quill", "ada@example.com", "03/04/1980", "7"], ["8", "Bo", "Dunn", "bo@example.com", "", "7"])
CHOSEN = {
    "Ref": "customers.customer_id",
    "Called": "customers.given_name",
    "Surname": "customers.family_name",
    "Mail": "customers.email",
    "Born": "customers.born_on",
}


@pytest.fixture
def sheets(tmp_path: Path) -> list[SheetSample]:
    write(tmp_path / "data", "members.csv", HEADER, *ROWS)
    return read_sheets(Folder(tmp_path / "data"))


def column(choices: SheetChoices, name: str) -> ColumnChoice:
    return next(each for each in choices.columns if each.name == name)


def test_each_column_is_asked_about_with_its_first_values_and_a_proposal(sheets: list[SheetSample]) -> None:
    choices = propose_choices(sheets[0], "GB")
    assert [each.name for each in choices.columns] == HEADER
    assert column(choices, "Surname").proposed == "customers.family_name"
    assert column(choices, "Mail").samples == ["ada@example.com", "bo@example.com"]
    assert (column(choices, "Shoe size").proposed, column(choices, "Shoe size").samples) == ("", ["7"])
    assert choices.is_order_open


def test_what_the_draft_is_not_sure_of_is_marked(tmp_path: Path) -> None:
    write(tmp_path / "data", "x.csv", ["First Name", "Last Name", "Email"], ["Ann", "Lee", "ann@example.com"])
    choices = propose_choices(read_sheets(Folder(tmp_path / "data"))[0], "US")
    assert column(choices, "Email").proposed == "customers.email"
    assert "no number of a customer" in column(choices, "Email").unsure
    assert column(choices, "Last Name").unsure == ""


def test_the_choices_become_a_mapping_by_which_a_later_file_of_another_name_is_read(
    sheets: list[SheetSample], sqlite_engine: Engine, settings: Settings, tmp_path: Path
) -> None:
    path = save_mapping(tmp_path / "mappings", "Members' list", write_mapping("Members' list", sheets, [CHOSEN], "GB"))
    assert (path.name, path.stat().st_mode & 0o777) == ("members-list.toml", 0o600)
    write(tmp_path / "later", "members 2026-04.csv", HEADER, *ROWS)
    told: list[str] = []
    mapping = choose_mapping(Folder(tmp_path / "later"), told.append, tmp_path / "mappings")
    assert told == [f"This looks like Members' list: read as with --mapping {path}"]
    import_data(sqlite_engine, Folder(tmp_path / "later"), settings, NOW, mapping)
    customers = stored(sqlite_engine, Customer)
    assert [(each.customer_id, each.given_name, each.born_on) for each in customers] == [
        ("7", "Ada", date(1980, 4, 3)),
        ("8", "Bo", None),
    ]


def test_what_a_person_chose_has_no_mark_of_a_draft_and_still_fits(tmp_path: Path) -> None:
    write(tmp_path / "data", "x.csv", ["Mail", "Name", 'Said "# UNSURE: so"'], ["a@example.com", "Ann", "2026-01-05"])
    sheets = read_sheets(Folder(tmp_path / "data"))
    chosen = {
        "Mail": "customers.email",
        "Name": "customers.whole_name",
        'Said "# UNSURE: so"': "customers.customer_since",
    }
    text = write_mapping("x", sheets, [chosen], "US")
    assert "stands for it" not in text
    mapping = read_mapping(save_mapping(tmp_path / "mappings", "x", text))
    assert mapping.file[0].table[0].columns["customer_since"].column == 'Said "# UNSURE: so"'


def test_rows_of_another_table_belong_to_the_customer_that_is_chosen(
    sqlite_engine: Engine, settings: Settings, tmp_path: Path
) -> None:
    write(tmp_path / "data", "x.csv", ["Who", "Cut", "When"], ["Ada Quill", "long", "2026-03-01"])
    sheets = read_sheets(Folder(tmp_path / "data"))
    chosen = {"Who": "customers.whole_name", "When": "visits.starts_at"}
    path = save_mapping(tmp_path / "mappings", "Cuts", write_mapping("Cuts", sheets, [chosen], "US"))
    mapping = choose_mapping(Folder(tmp_path / "data"), lambda _: None, tmp_path, mapping=path)
    import_data(sqlite_engine, Folder(tmp_path / "data"), settings, NOW, mapping)
    assert [(each.customer_id, each.family_name) for each in stored(sqlite_engine, Customer)] == [
        ("Ada Quill", "Quill")
    ]
    assert [(each.customer_id, each.starts_on) for each in stored(sqlite_engine, Visit)] == [
        ("Ada Quill", date(2026, 3, 1))
    ]


VISITS = {"No": "visits.visit_id", "Who": "customers.whole_name", "When": "visits.starts_at", "What": "treatments.name",
          "By": "treatments.practitioner"}  # fmt: skip


@pytest.mark.parametrize(
    "chosen",
    [
        VISITS | {"Came": "visits.arrived"},
        VISITS | {"Missed": "visits.missed", "Off": "visits.cancelled"},
        {name: target for name, target in VISITS.items() if name != "No"} | {"Came": "visits.arrived"},
    ],
    ids=["arrived", "others", "no number"],
)
def test_what_was_done_at_a_visit_needs_no_number_and_is_of_visits_that_took_place(
    sqlite_engine: Engine, settings: Settings, tmp_path: Path, chosen: dict[str, str]
) -> None:
    write(
        tmp_path / "data",
        "x.csv",
        ["No", "Who", "When", "What", "By", "Came", "Missed", "Off"],
        ["1", "Ada Quill", "2026-03-01", "Massage", "Nora", "yes", "", ""],
        ["2", "Ada Quill", "2026-03-02", "Massage", "Nora", "", "yes", ""],
        ["3", "Ada Quill", "2026-03-03", "Massage", "Nora", "", "", "2026-03-01"],
    )
    text = write_mapping("Visits", read_sheets(Folder(tmp_path / "data")), [chosen], "US")
    mapping = read_mapping(save_mapping(tmp_path / "mappings", "Visits", text))
    report = import_data(sqlite_engine, Folder(tmp_path / "data"), settings, NOW, mapping)
    assert report.refusals == []
    assert [(each.name, each.practitioner, each.done_on) for each in stored(sqlite_engine, Treatment)] == [
        ("Massage", "Nora", date(2026, 3, 1))
    ]
    visits = {each.starts_on.day: each.status for each in stored(sqlite_engine, Visit)}
    assert visits[1] == "completed"


def test_columns_of_consent_are_proposed_and_may_be_several(
    sqlite_engine: Engine, settings: Settings, tmp_path: Path
) -> None:
    header = ["Customer ID", "First Name", "OK to e-mail", "Do not call"]
    write(tmp_path / "data", "x.csv", header, ["1", "Ada", "no", "yes"])
    sheets = read_sheets(Folder(tmp_path / "data"))
    choices = propose_choices(sheets[0], "US")
    proposed = {each.name: each.proposed for each in choices.columns}
    assert (proposed["OK to e-mail"], proposed["Do not call"]) == ("consents.agreed", "consents.refused")
    assert column(choices, "OK to e-mail").unsure.startswith("taken for email")
    mapping = read_mapping(save_mapping(tmp_path / "m", "x", write_mapping("x", sheets, [proposed], "US")))
    import_data(sqlite_engine, Folder(tmp_path / "data"), settings, NOW, mapping)
    assert {(each.channel, each.purpose, each.state) for each in stored(sqlite_engine, Consent)} == {
        ("email", "marketing", "withdrawn"), ("call", "service", "withdrawn"), ("call", "marketing", "withdrawn")
    }  # fmt: skip


@pytest.mark.parametrize(
    ("chosen", "said"),
    [
        ({}, "Nothing is chosen yet"),
        ({"Called": "customers.given_name"}, "Of customers the column with the customer id is missing"),
        ({"Ref": "customers.email", "Mail": "customers.email"}, "“Ref” and “Mail” are both said to be the same"),
        ({"Ref": "staff.password_hash"}, "is no column of ours"),
        ({"Ref": "consents.agreed"}, "Of consents the column with the customer id is missing"),
        ({"Ref": "customers"}, "is no column of ours"),
        ({"Ref": "payments.payment_id", "Mail": "payments.paid_on"}, "Of payments the column with the amount"),
    ],
)
def test_choices_that_cannot_be_meant_are_refused_in_words(
    sheets: list[SheetSample], chosen: dict[str, str], said: str
) -> None:
    with pytest.raises(MappingRefused, match=said):
        write_mapping("x", sheets, [chosen], "US")


def test_a_matching_is_replaced_by_a_later_one_of_the_same_columns_and_by_no_other(
    sheets: list[SheetSample], tmp_path: Path
) -> None:
    assert find_title(tmp_path / "mappings", sheets) == ""
    text = write_mapping("Members", sheets, [CHOSEN], "GB")
    path = save_mapping(tmp_path / "mappings", "Members", text)
    assert find_title(tmp_path / "mappings", sheets) == "Members"
    fewer = write_mapping("Members", sheets, [{"Ref": "customers.customer_id"}], "GB")
    assert save_mapping(tmp_path / "mappings", "members", fewer) == path
    assert path.read_text() == fewer
    with pytest.raises(MappingRefused, match="Files with these columns are known as “Members” already"):
        save_mapping(tmp_path / "mappings", "People", text)
    write(tmp_path / "other", "x.csv", ["No", "Name", "Town"], ["1", "Ada Quill", "Barre"])
    others = write_mapping("x", read_sheets(Folder(tmp_path / "other")), [{"No": "customers.customer_id"}], "GB")
    with pytest.raises(MappingRefused, match="Other files are called “Members” already"):
        save_mapping(tmp_path / "mappings", "Members", others)
    with pytest.raises(MappingRefused, match="Give it a name"):
        save_mapping(tmp_path / "mappings", "../..", text)
    assert [each.name for each in (tmp_path / "mappings").iterdir()] == ["members.toml"]


def test_what_a_column_may_be_is_every_column_of_ours_that_a_draft_can_fill() -> None:
    targets = list_targets()
    assert set(targets) == {"customers", "invoices", "payments", "visits", "treatments", "consents"}
    assert {"whole_name", "guardian_id", "email"} <= set(targets["customers"])
    assert {"paid", "unpaid", "payer_id", "customer_id"} <= set(targets["invoices"])


def test_an_own_mapping_over_a_preset_stands_above_it_and_a_broken_one_is_passed_over(
    shared: Path, tmp_path: Path
) -> None:
    export = Folder(shared / "data" / "exports" / "shopify")
    (tmp_path / "ours.toml").write_text('extends = "shopify"\n')
    (tmp_path / "broken.toml").write_text("[[file]")
    told: list[str] = []
    choose_mapping(export, told.append, tmp_path)
    assert told[0].endswith("ours.toml")


def test_a_mapping_of_other_columns_recognises_nothing(sheets: list[SheetSample], tmp_path: Path) -> None:
    save_mapping(tmp_path / "mappings", "Members", write_mapping("Members", sheets, [CHOSEN], "GB"))
    write(tmp_path / "other", "x.csv", HEADER[:-1], ROWS[0][:-1])
    with pytest.raises(NotRecognised):
        choose_mapping(Folder(tmp_path / "other"), lambda _: None, tmp_path / "mappings")
