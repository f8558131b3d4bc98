"""What a mapping says of whole files and tables: how they are known, laid out, looked up, grouped and extended."""

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from intake_data import only, refusal_of, stored
from mapped import TheirFiles, read_words
from outreach.errors import MappingRefused, SourceUnreadable
from outreach.intake.mapping.files import FileMapping, Mapping, read_preset
from outreach.intake.mapping.tables import TableMapping
from outreach.models import Consent, Customer, Flag, Invoice, Payment, Visit
from outreach.settings import Settings

NOW = datetime(2026, 3, 10, 15, 0, tzinfo=UTC)


@pytest.fixture
def theirs(tmp_path: Path, sqlite_engine: Engine, settings: Settings) -> TheirFiles:
    folder = tmp_path / "theirs"
    folder.mkdir()
    return TheirFiles(folder, sqlite_engine, settings, NOW)


def mapping_of(file: str, table: str, columns: str, into: str = "customers") -> str:
    return f'[[file]]\n{file}\n[[file.table]]\ninto = "{into}"\n{table}\n[file.table.columns]\n{columns}\n'


def names(engine: Engine) -> list[tuple[str, str | None]]:
    return [(customer.customer_id, customer.given_name) for customer in stored(engine, Customer)]


TWO = 'customer_id = "No"\ngiven_name = "First"'


# Which file, and where its header stands


def test_a_file_is_known_by_columns_of_its_header_whatever_it_is_called(theirs: TheirFiles) -> None:
    theirs.put("export (3).csv", "No,First,More", "7,Ann,x")
    theirs.put("another.csv", "Key,First", "8,Bo")
    report = theirs.take(mapping_of('header_has = ["no", " First "]', "", TWO))
    assert names(theirs.engine) == [("7", "Ann")]
    assert report.ignored["another.csv"] == [], "the whole file was not used"


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_the_header_may_stand_below_lines_of_a_title_whatever_the_separator(theirs: TheirFiles, separator: str) -> None:
    lines = ["Alder Lane, Ltd; Customers", "As of 5 March, 2026", "", "No,First,More", "7,Ann,x", "8,Bo,y"]
    titles, rows = lines[:3], [line.replace(",", separator) for line in lines[3:]]
    theirs.put("report.csv", *titles, *rows)
    theirs.take(mapping_of('header_has = ["No", "First"]', "", TWO))
    assert names(theirs.engine) == [("7", "Ann"), ("8", "Bo")]


def test_a_line_that_is_refused_is_counted_from_the_top_of_the_file(theirs: TheirFiles) -> None:
    theirs.put("report.csv", "A title", "", "No,First", "7,Ann", ",Bo")
    report = theirs.take(mapping_of('header_has = ["No", "First"]', "", TWO))
    assert refusal_of(report)[:2] == (5, "customer_id")


def test_a_file_whose_header_is_nowhere_is_not_the_one(theirs: TheirFiles) -> None:
    theirs.put("report.csv", *["a title"] * 60, "No,First", "7,Ann")
    with pytest.raises(SourceUnreadable, match="what the mapping knows: a file with the columns No, First"):
        theirs.take(mapping_of('header_has = ["No", "First"]', "", TWO))


def test_a_file_without_a_header_has_the_names_that_the_mapping_gives(theirs: TheirFiles) -> None:
    theirs.put("plain.txt", "7;Ann;x", "8;Bo;y")
    report = theirs.take(mapping_of('name = "plain.txt"\nheader = ["No", "First", "More"]', "", TWO))
    assert names(theirs.engine) == [("7", "Ann"), ("8", "Bo")]
    assert report.ignored == {"plain.txt": ["More"]}


def test_a_space_between_cells_stands_for_any_number_of_them(theirs: TheirFiles) -> None:
    theirs.put("plain.txt", "No    First   More", "7     Ann     x", '8  "Bo Lee"  y  ')
    theirs.take(mapping_of('name = "plain.txt"\nseparator = " "', "", TWO))
    assert names(theirs.engine) == [("7", "Ann"), ("8", "Bo Lee")]


@pytest.mark.parametrize(
    ("file", "told"),
    [
        ("", "give “name”, or “header_has”"),
        ('name = ["a", "b"]\nquery = "SELECT 1"', "a query has one name"),
        ('header_has = ["a"]\nheader = ["a"]', "a file without a header has no “header_has”"),
        ('name = "a"\nseparator = "x"', "separator"),
        ('name = "a"\nzone = "Nowhere"', "“Nowhere” is no time zone"),
        ('name = "a"\nheader_hs = ["a"]', "header_hs: this word is not known here; did you mean “header_has”"),
    ],
)
def test_what_cannot_be_said_of_a_file_is_refused(tmp_path: Path, file: str, told: str) -> None:
    with pytest.raises(MappingRefused, match=told):
        read_words(tmp_path, mapping_of(file, "", TWO))


def test_an_unknown_word_of_the_whole_mapping_names_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(MappingRefused, match="titel: this word is not known here; did you mean “title”"):
        read_words(tmp_path, 'titel = "Ours"\n' + mapping_of('name = "a.csv"', "", TWO))


def test_a_query_is_asked_of_databases_only(theirs: TheirFiles) -> None:
    theirs.put("a.csv", "No,First")
    with pytest.raises(SourceUnreadable, match="has a query for “a.csv”, and only a database can answer it"):
        theirs.take(mapping_of('name = "a.csv"\nquery = "SELECT 1"', "", TWO))


# Columns that are missing


def test_a_missing_column_names_the_nearest_and_lists_what_the_file_has(theirs: TheirFiles) -> None:
    theirs.put("a.csv", "No,Firsd Name,More", "7,Ann,x")
    report = theirs.take(mapping_of('name = "a.csv"', "", 'customer_id = "No"\ngiven_name = "First Name"'))
    assert refusal_of(report) == (
        1, "First Name", "the file has no such column; the whole file was left out. It has “No”, “Firsd Name”, “More”; "
        "did you mean “Firsd Name”?")  # fmt: skip


def test_of_a_file_with_very_many_columns_the_first_thirty_are_listed(theirs: TheirFiles) -> None:
    theirs.put("a.csv", ",".join(f"c{number}" for number in range(1, 41)), ",".join("x" * 40))
    reason = refusal_of(theirs.take(mapping_of('name = "a.csv"', "", 'customer_id = "Number"')))[2]
    assert reason.endswith("“c29”, “c30” …")


@pytest.mark.parametrize("may_lack", ["true", '["First", "T"]'])
def test_a_column_that_a_file_may_lack_is_empty_there(theirs: TheirFiles, may_lack: str) -> None:
    theirs.put("a.csv", "No", "7")
    otherwise = '{ constant = "X", only = { column = "T", is = "" } }'
    columns = f'customer_id = "No"\ngiven_name = {{ first_of = ["First", {otherwise}] }}'
    report = theirs.take(mapping_of(f'name = "a.csv"\nmay_lack = {may_lack}', "", columns))
    assert (report.refused, names(theirs.engine)) == (0, [("7", "X")])


def test_a_column_that_is_not_listed_among_those_is_not_lacked(theirs: TheirFiles) -> None:
    theirs.put("a.csv", "No", "7")
    report = theirs.take(mapping_of('name = "a.csv"\nmay_lack = ["Other"]', "", TWO))
    assert refusal_of(report)[1] == "First"


def test_a_column_that_stands_there_twice_is_never_guessed(theirs: TheirFiles) -> None:
    theirs.put("a.csv", "No,First,First", "7,Ann,Bo")
    report = theirs.take(mapping_of('name = "a.csv"\nmay_lack = true', "", TWO))
    assert "names this column twice" in refusal_of(report)[2]


# Rows


def test_what_is_optional_is_counted_and_told_and_its_row_comes_in(theirs: TheirFiles) -> None:
    theirs.put("a.csv", "No,Land", "7,Narnia", "8,Germany", "9,Atlantis")
    columns = 'customer_id = "No"\ncountry = { column = "Land", optional = true }'
    report = theirs.take(mapping_of('name = "a.csv"', "", columns))
    assert [(row.customer_id, row.country) for row in stored(theirs.engine, Customer)] == [
        ("7", None), ("8", "DE"), ("9", None)]  # fmt: skip
    assert (report.accepted, report.refused, [(note.column, note.rows) for note in report.notes]) == (
        3, 0, [("country", 2)])  # fmt: skip
    assert "a.csv, country: 2 accepted, but this is no country's name" in report.remarks[0]


def test_of_the_rows_of_one_id_one_record_is_made(theirs: TheirFiles) -> None:
    theirs.put("a.csv", "Mail,First,Seen", "Ann@x.example,,2026-01-03", "ann@X.example,Ann,2026-01-01",
               "bo@x.example,Bo,2026-01-02")  # fmt: skip
    columns = 'customer_id = { column = "Mail", fold = true }\ngiven_name = "First"\n'
    columns += 'customer_since = { column = "Seen", take = "min" }'
    theirs.take(mapping_of('name = "a.csv"', "one_row_per_id = true", columns))
    assert [(row.customer_id, row.given_name, row.customer_since) for row in stored(theirs.engine, Customer)] == [
        ("ann@x.example", "Ann", date(2026, 1, 1)), ("bo@x.example", "Bo", date(2026, 1, 2))]  # fmt: skip


@pytest.mark.parametrize("by", ['one_row_per = "No"', "one_row_per_id = true"])
def test_rows_of_a_group_are_taken_in_the_order_of_their_dates(theirs: TheirFiles, by: str) -> None:
    theirs.put("a.csv", "No,City,On", "7,Newest,12/03/2026", "7,Oldest,02/04/2026", "7,Between,05/01/2026",
               "7,Undated,", "8,Only,01/01/2026")  # fmt: skip
    columns = 'customer_id = "No"\ncity = { column = "City", take = "last" }\nregion = "City"'
    words = mapping_of('name = "a.csv"\ndates = "MM/DD/YYYY"', f'{by}\nin_order_of = "On"', columns)
    theirs.take(words)
    assert [(row.customer_id, row.city, row.region) for row in stored(theirs.engine, Customer)] == [
        ("7", "Newest", "Undated"), ("8", "Only", "Only")]  # fmt: skip


@pytest.mark.parametrize(
    ("table", "told"),
    [
        ('in_order_of = "On"', "in_order_of needs one_row_per"),
        ("no_takes_back = true", "no_takes_back is for consents"),
        ('one_row_per = "No"\none_row_per_id = true', "give one_row_per or one_row_per_id"),
        ('only = { column = "No", i = "x" }', "only 1, i: this word is not known here"),
        ('one_row_pr = "No"', "one_row_pr: this word is not known here; did you mean “one_row_per”"),
        ('for_each = { language = ["en", "!"] }', "language: “!” does not fit"),
    ],
)
def test_what_cannot_be_said_of_a_table_is_refused(tmp_path: Path, table: str, told: str) -> None:
    with pytest.raises(MappingRefused, match=told):
        read_words(tmp_path, mapping_of('name = "a.csv"', table, TWO))


def test_a_column_may_take_each_of_several_words_in_turn(theirs: TheirFiles) -> None:
    theirs.put("a.csv", "No,Stop", "7,yes", "8,no")
    columns = 'customer_id = "No"\nstate = { constant = "withdrawn" }\nat = { constant = "2026-01-01" }'
    table = 'for_each = { channel = ["email", "text"], purpose = ["service", "marketing"] }\n'
    theirs.take(mapping_of('name = "a.csv"', f'{table}only = {{ column = "Stop", is = "yes" }}', columns, "consents"))
    assert {(row.customer_id, row.channel, row.purpose) for row in stored(theirs.engine, Consent)} == {
        ("7", channel, purpose) for channel in ("email", "text") for purpose in ("service", "marketing")}  # fmt: skip


# Looked up in another file

ORDERS = """
[[file]]
called = "people"
name = "people-*.csv"
strip = "'"
[[file.table]]
into = "customers"
columns = {{ customer_id = "No", email = "Mail" }}
[[file]]
name = "orders.csv"
[[file.table]]
into = "visits"
[file.table.columns]
visit_id = "Order"
customer_id = {{ column = "Mail", look_up = {{ file = "people", by = "Mail", take = "No"{words} }} }}
starts_at = {{ constant = "2026-01-01" }}
"""


@pytest.fixture
def orders(theirs: TheirFiles) -> TheirFiles:
    """Two files of people under one name of the mapping's, and orders that know them by their e-mail."""
    theirs.put("people-a.csv", "No,Mail", "'7,Ann@x.example", "8,")
    theirs.put("people-b.csv", "Mail,No,More", "bo@x.example,'9,x")
    theirs.put("orders.csv", "Order,Mail", "o1,Ann@x.example", "o2,BO@x.example", "o3,Cy@x.example")
    return theirs


def owners(engine: Engine) -> dict[str, str]:
    return {visit.visit_id: visit.customer_id for visit in stored(engine, Visit)}


def test_a_value_is_looked_up_in_every_file_of_that_part_of_the_mapping(orders: TheirFiles) -> None:
    report = orders.take(ORDERS.format(words=""))
    assert owners(orders.engine) == {"o1": "7"}
    reason = "people does not know this Mail"
    assert [(row.line, row.column, row.reason) for row in report.refusals] == [
        (3, "customer_id", reason), (4, "customer_id", reason)]  # fmt: skip


def test_a_value_is_looked_up_without_regard_to_small_and_capital(orders: TheirFiles) -> None:
    report = orders.take(ORDERS.format(words=", fold = true"))
    assert owners(orders.engine) == {"o1": "7", "o2": "9"}
    assert [row.line for row in report.refusals] == [4]


def test_what_is_nowhere_may_be_left_empty(orders: TheirFiles) -> None:
    words = ORDERS.format(words=', fold = true, otherwise = "empty"')
    report = orders.take(words.replace('into = "visits"', 'into = "feedback"').replace("visit_id", "feedback_id")
                         .replace("starts_at", 'kind = { constant = "review" }\ngiven_at'))  # fmt: skip
    assert report.refused == 0, "a review may be anyone's"


def test_what_is_nowhere_may_become_a_customer(orders: TheirFiles) -> None:
    report = orders.take(ORDERS.format(words=', fold = true, otherwise = "customer"'))
    assert owners(orders.engine) == {"o1": "7", "o2": "9", "o3": "cy@x.example"}
    assert [(row.customer_id, row.email) for row in stored(orders.engine, Customer)][-1] == (
        "cy@x.example", "cy@x.example")  # fmt: skip
    assert report.made == 1
    assert "customers: 1 made of ids that no file of customers has" in report.remarks
    assert orders.take(ORDERS.format(words=', fold = true, otherwise = "customer"')).made == 0, "they are there now"


def test_a_value_may_be_looked_up_in_a_file_by_its_own_name(orders: TheirFiles) -> None:
    words = ORDERS.format(words="").replace('file = "people"', 'file = "people-a.csv"')
    report = orders.take(words)
    # Of a file that the mapping does not describe nothing is stripped.
    assert owners(orders.engine) == {"o1": "'7"}
    assert {row.reason for row in report.refusals} == {"people-a.csv does not know this Mail"}


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (('take = "No"', 'take = "Number"'), "has no column “Number”, or has it twice"),
        (('file = "people"', 'file = "nowhere.csv"'), "nowhere.csv, where it is looked up: it cannot be read"),
    ],
)
def test_where_nothing_can_be_looked_up_each_row_says_why(
    orders: TheirFiles, change: tuple[str, str], told: str
) -> None:
    report = orders.take(ORDERS.format(words="").replace(*change))
    assert len(report.refusals) == 3
    assert all(told in row.reason for row in report.refusals)


def test_one_look_up_may_follow_another(theirs: TheirFiles) -> None:
    theirs.put("a.csv", "No,Town", "7,b")
    theirs.put("towns.csv", "Key,Name,Land", "b,Burlington,u")
    theirs.put("lands.csv", "Key,Name", "u,United States")
    columns = """
customer_id = "No"
country = { column = "Town", look_up = [{ file = "towns.csv", by = "Key", take = "Land" },
    { file = "lands.csv", by = "Key", take = "Name" }] }
"""
    theirs.take(mapping_of('name = "a.csv"', "", columns))
    assert only(theirs.engine, Customer).country == "US"


# Payments whose signs are a question

PAID = ["p1,i1,-10.00", "p2,i1,-20.00", "p3,i2,-30.00"]
PAYMENTS = 'payment_id = "No"\ninvoice_id = "Bill"\npaid_on = { constant = "2026-03-01" }\namount = '
AMOUNT = '{ column = "Sum" }'


def take_payments(theirs: TheirFiles, rows: list[str], amount: str = AMOUNT) -> Any:
    theirs.put("paid.csv", "No,Bill,Sum", *rows)
    return theirs.take(mapping_of('name = "paid.csv"', "", PAYMENTS + amount, "payments"))


def amounts(engine: Engine) -> list[int]:
    return [payment.amount for payment in stored(engine, Payment)]


def test_payments_that_are_all_negative_are_a_question_and_none_is_kept(theirs: TheirFiles) -> None:
    report = take_payments(theirs, PAID)
    line, column, reason = refusal_of(report)
    assert (line, column) == (1, "amount")
    assert "every payment of the file is negative; say in a mapping" in reason
    assert (amounts(theirs.engine), report.read, report.accepted) == ([], 1, 0)


def test_in_our_own_format_too(theirs: TheirFiles) -> None:
    rows = [f"{row},2026-03-01" for row in PAID]
    theirs.put("payments.csv", "payment_id,invoice_id,amount,paid_on", *rows)
    assert "every payment of the file is negative" in refusal_of(theirs.take())[2]
    assert amounts(theirs.engine) == []


@pytest.mark.parametrize("count", [1, 2])
def test_one_or_two_that_are_negative_are_money_given_back(theirs: TheirFiles, count: int) -> None:
    assert take_payments(theirs, PAID[:count]).refused == 0
    assert amounts(theirs.engine) == [-1000, -2000][:count]


def test_a_single_payment_that_came_in_answers_the_question(theirs: TheirFiles) -> None:
    assert take_payments(theirs, [*PAID, "p4,i2,5.00"]).refused == 0
    assert amounts(theirs.engine) == [-1000, -2000, -3000, 500]


@pytest.mark.parametrize("is_one_of_several", [True, False])
@pytest.mark.parametrize(("negate", "sign"), [("true", 1), ("false", -1)])
def test_a_mapping_answers_whether_they_came_in_or_were_given_back(
    theirs: TheirFiles, is_one_of_several: bool, negate: str, sign: int
) -> None:
    way = f'{{ column = "Sum", negate = {negate} }}'
    amount = f"{{ first_of = [{way}] }}" if is_one_of_several else way
    assert take_payments(theirs, PAID, amount).refused == 0
    assert amounts(theirs.engine) == [sign * 1000, sign * 2000, sign * 3000]


def test_invoices_that_are_all_negative_are_credit_notes(theirs: TheirFiles) -> None:
    rows = [f"i{number},c1,2026-01-01,2026-02-01,-5.00" for number in range(3)]
    theirs.put("invoices.csv", "invoice_id,customer_id,issued_on,due_on,amount", *rows)
    assert theirs.take().refused == 0
    assert [invoice.amount for invoice in stored(theirs.engine, Invoice)] == [-500] * 3


# A mapping that extends a preset

OWN = """
extends = "shopify"

[[file]]
called = "customers"
[[file.table]]
into = "customers"
[file.table.columns]
phone = ""
given_name = { constant = "Friend" }
preferred_name = "Nickname"

[[file.table]]
into = "flags"
only = { column = "Tags", has = "VIP" }
[file.table.columns]
customer_id = "Customer ID"
kind = { constant = "vip" }
from = { constant = "today" }

[[file]]
called = "guests"
name = "guests.csv"
[[file.table]]
into = "customers"
columns = { customer_id = "Guest" }
"""


def file_called(mapping: Mapping, called: str) -> FileMapping:
    (file,) = (file for file in mapping.file if file.called == called)
    return file


def table_into(file: FileMapping, into: str) -> TableMapping:
    return next(table for table in file.table if table.into == into)


def test_a_mapping_lays_its_words_over_those_of_the_preset_that_it_extends(tmp_path: Path) -> None:
    preset, own = read_preset("shopify"), read_words(tmp_path, OWN)
    theirs, ours = (table_into(file_called(each, "customers"), "customers").columns for each in (preset, own))
    assert ours["given_name"].constant == "Friend", "a column is replaced"
    assert ours["preferred_name"].column == "Nickname", "one is added"
    assert ours.keys() == theirs.keys() - {"phone"} | {"preferred_name"}, "one is taken out with an empty text"
    assert all(ours[name] == theirs[name] for name in theirs.keys() - {"phone", "given_name"}), "the others stay"
    assert [file.called for file in own.file] == ["customers", "orders", "guests"]
    tables = [(table.into, table.called) for table in file_called(own, "customers").table]
    assert tables == [
        ("customers", ""), ("consents", "email yes"), ("consents", "text yes"), ("flags", "")]  # fmt: skip
    assert file_called(own, "orders") == file_called(preset, "orders")
    assert own.sha256 not in {"", preset.sha256}


def test_a_table_is_changed_by_what_it_is_called(tmp_path: Path) -> None:
    words = """
extends = "shopify"
[[file]]
called = "customers"
[[file.table]]
into = "consents"
called = "text yes"
columns = { source = { constant = "the shop" } }
"""
    file = file_called(read_words(tmp_path, words), "customers")
    sources = {table.called: table.columns["source"].constant for table in file.table if table.into == "consents"}
    assert sources == {"email yes": "Shopify", "text yes": "the shop"}


def test_a_mapping_that_extends_a_preset_is_imported_as_any_other(theirs: TheirFiles) -> None:
    header = "Customer ID,First Name,Last Name,Email,Accepts Email Marketing,Phone,Tags,Nickname"
    theirs.put("customers_export.csv", header, "'7,Ann,Lee,ann@x.example,yes,'802-555-0142,\"new, VIP\",Annie")
    theirs.put("guests.csv", "Guest", "g1")
    report = theirs.take(OWN)
    assert report.refused == 0
    customers = stored(theirs.engine, Customer)
    assert [(row.customer_id, row.given_name, row.preferred_name, row.phone) for row in customers] == [
        ("7", "Friend", "Annie", None), ("g1", None, None, None)]  # fmt: skip
    assert [(flag.customer_id, flag.kind, flag.from_on) for flag in stored(theirs.engine, Flag)] == [
        ("7", "vip", date(2026, 3, 10))]  # fmt: skip


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ('extends = "shoppify"', "There is no preset “shoppify”.*did you mean “shopify”"),
        ('extends = "shopify"\n[[file]]\ncalled = "customers"\n[[file.table]]\ninto = "customers"\n'
         'columns = { customer_id = "" }', "customers cannot do without customer_id"),
        ('extends = "shopify"\n[[file]]\ncalled = "customers"\n[[file.table]]\ninto = "customers"\n'
         'columns = { phne = "Phone" }', "has no column “phne”.*did you mean “phone”"),
        ('extends = "shopify"\nfile = "orders"', "file 3: Input should be a valid dictionary"),
    ],
)  # fmt: skip
def test_an_extension_that_does_not_fit_is_refused(tmp_path: Path, words: str, told: str) -> None:
    with pytest.raises(MappingRefused, match=told):
        read_words(tmp_path, words)
