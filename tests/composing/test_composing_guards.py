"""What composing keeps out: templates that compute or load, values that pretend to be code, forged headers."""

import http.server
import re
import threading
from collections.abc import Iterator
from datetime import date
from email import message_from_bytes
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outreach.composing.csv_cells import quote_cell
from outreach.composing.emails import read_unsubscribe_token, unsubscribe_token, write_email
from outreach.composing.handwriting.press import print_page
from outreach.composing.template_data import Facts
from outreach.composing.templating.engine import LONGEST_FIELD, Fields, check_template, render_template
from outreach.composing.templating.fields import COMMON, OF_MOMENT, fields_for
from outreach.composing.templating.sandbox import job_for, try_out
from outreach.composing.templating.templates import Templates, Words
from outreach.composing.texts import count_segments, write_text
from outreach.errors import CannotWrite, ComposingError, FieldMissing, TemplateRefused, TooLong
from outreach.models import Customer
from outreach.money import Amount, Bill
from outreach.settings import Settings
from template_payloads import FIELDS, GROWING, REACHING, payloads_of

NAMES = frozenset(COMMON)
# A late payment's bills may be gone through; nothing else of them may be reached.
OF_BILLS = [
    "{% for bill in bills %}{{ bill.__class__ }}{% endfor %}",
    "{% for bill in bills %}{{ bill.amount.__class__ }}{% endfor %}",
    "{% for bill in bills %}{{ bill['amount'] }}{% endfor %}",
    "{% for bill in bills %}{{ bill }}{% endfor %}",
    "{% for bill in bills %}{{ loop.cycle('a') }}{% endfor %}",
    "{% for bill in bills %}{{ loop }}{% endfor %}",
    "{% for greeting in bills %}{{ greeting }}{% endfor %}",
    "{% for bill in bills if bill.amount %}{% endfor %}",
    "{% for bill in bills recursive %}{{ loop(bills) }}{% endfor %}",
    "{% for bill in bills|list %}{% endfor %}",
    "{% for bill, rest in bills %}{% endfor %}",
    "{% for bill in bills %}{% endfor %}{{ bill.amount }}",
    "{% for bill in bills %}{% for rest in more %}x{% endfor %}{% endfor %}",
    "{% for bill in bills %}{% for bill in bills %}x{% endfor %}{% endfor %}",
    "{% for bill in more %}x{% endfor %}",
    "{% for bill in bills %}{% else %}x{% endfor %}",
    "{% for bill in bills %}{{ rest.count }}{% endfor %}",
]


def refused_line(source: str) -> int:
    """The line of a one-line attack put on the third line of a template."""
    with pytest.raises(TemplateRefused) as refused:
        check_template("letters/anniversary.en.html", f"<p>Dear {{{{ greeting }}}},</p>\n\n{source}", NAMES, "letter")
    assert "letters/anniversary.en.html" in str(refused.value)
    return refused.value.line


@pytest.mark.parametrize("source", REACHING)
def test_row_31_a_template_that_reaches_into_python_is_refused_with_its_line(source: str) -> None:
    assert refused_line(source) == 3


@pytest.mark.parametrize("source", OF_BILLS)
def test_a_loop_goes_through_the_bills_and_reaches_for_nothing_else(source: str) -> None:
    with pytest.raises(TemplateRefused) as refused:
        check_template(
            "letters/late_payment.en.html", f"<p>Dear\n{source}", fields_for("late_payment", "letter"), "letter"
        )
    assert refused.value.line == 2


def test_a_loop_writes_each_bill_in_its_own_currency_and_costs_no_more_than_its_few_bills() -> None:
    fields = fields_for("late_payment", "letter") | {"currency": "USD", "locale": "en_US"}
    owed = (Amount(12345, "KWD"), date(2026, 3, 5)), (Amount(5000, "JPY"), date(2026, 3, 6))
    fields["bills"] = tuple(Bill(amount, due_on, amount.currency) for amount, due_on in owed)
    each = "{{ bill.amount|money }} ({{ bill.due_on|monthday }}){% if not loop.last %}, {% endif %}"
    source = f"{{% for bill in bills %}}{each}{{% endfor %}}"
    check_template("letters/late_payment.en.html", source, fields, "letter")
    said = render_template("letters/late_payment.en.html", source, fields, "letter")
    assert said == "KWD\u00a012.345 (March 5), ¥5,000 (March 6)"
    assert render_template("x", "{% for rest in more %}x{% endfor %}", fields | {"more": ()}, "plain") == ""


@pytest.mark.parametrize("channel", ["text", "call"])
def test_no_text_or_call_can_name_a_bill(channel: str) -> None:
    with pytest.raises(TemplateRefused):
        check_template("x", "{% for bill in bills %}x{% endfor %}", fields_for("late_payment", channel), "plain")


def test_row_31_every_public_payload_is_refused_or_printed_as_the_text_it_is(shared: Path) -> None:
    payloads = payloads_of(shared, "ssti")
    assert len(payloads) > 300
    for payload in payloads:
        try:
            check_template("texts/checkin.en.txt", payload, NAMES, "plain")
        except TemplateRefused:
            continue
        rendered = render_template("texts/checkin.en.txt", payload, FIELDS, "plain")  # type: ignore[arg-type]
        assert rendered.strip() in payload


@pytest.mark.parametrize("source", GROWING)
def test_row_32_a_template_that_grows_without_bound_is_refused_before_it_is_rendered(source: str) -> None:
    with pytest.raises(TemplateRefused):
        check_template("texts/checkin.en.txt", source, NAMES, "plain")


@pytest.mark.parametrize(
    "bomb",
    ["{{ ('a' * 10**10)|upper }}", "{% for a in greeting %}{% for b in greeting %}" * 3 + "{% endfor %}" * 6],
    ids=["memory", "seconds"],
)
def test_row_32_a_child_that_outgrows_its_limits_is_killed_and_the_next_template_is_still_tried(bomb: str) -> None:
    """The second fence alone: these sources did not pass `check_template`."""
    bad = job_for("texts/bad.en.txt", bomb, "plain", COMMON)
    good = job_for("texts/good.en.txt", "{{ greeting }}", "plain", COMMON)
    refused = try_out((bad, good))
    assert list(refused) == ["texts/bad.en.txt"]
    assert "5 seconds or 512 MB" in refused["texts/bad.en.txt"].reason


def test_row_32_a_result_beyond_its_limit_is_too_long() -> None:
    with pytest.raises(TooLong):
        render_template("emails/x.en.txt", "{{ greeting }}" * 300, {"greeting": "&" * LONGEST_FIELD}, "plain")
    with pytest.raises(TooLong, match="greeting"):
        render_template("emails/x.en.txt", "{{ greeting }}", {"greeting": "x" * (LONGEST_FIELD + 1)}, "plain")


def test_row_33_a_misspelt_field_is_refused_with_its_line_before_it_is_used() -> None:
    assert refused_line("<p>{{ nmae }}</p>") == 3
    assert refused_line("{% if nmae %}x{% endif %}") == 3


@pytest.mark.parametrize("empty", [None, "", "   "])
def test_row_33_an_empty_field_is_missing_and_never_written_as_nothing(empty: str | None) -> None:
    for source in ("Dear {{ greeting }},", "Dear {{ greeting|upper }},", "{% if greeting == 'x' %}{% endif %}"):
        with pytest.raises(FieldMissing) as missing:
            render_template("letters/x.en.html", source, {"greeting": empty}, "letter")
        assert missing.value.field == "greeting"


def test_row_33_a_field_may_be_empty_where_an_if_asks_for_it() -> None:
    source = "{% if reward %}A gift of {{ reward|money }}.{% else %}Thank you.{% endif %}"
    fields: Fields = {"reward": 0, "currency": "USD", "locale": "en_US"}
    assert render_template("x", source, fields, "plain") == "Thank you."
    assert render_template("x", source, {**fields, "reward": 2000}, "plain") == "A gift of $20."


HOSTILE = [
    "<img src=file:///etc/passwd>",
    '"><link rel=attachment href=file:///etc/passwd>',
    "<script>alert(1)</script>",
    "</p><style>@import 'http://x'</style>",
    "{{ 7*7 }}",
]


@pytest.mark.parametrize("name", HOSTILE)
def test_row_34_markup_in_a_customers_name_is_printed_as_text(name: str) -> None:
    rendered = render_template("letters/x.en.html", "<p>Dear {{ greeting }},</p>", {"greeting": name}, "letter")
    assert re.findall(r"<[^>]*>", rendered) == ["<p>", "</p>"]
    assert '"' not in rendered
    assert "49" not in rendered


def test_row_34_every_public_payload_stays_text_in_a_letter(shared: Path) -> None:
    for payload in payloads_of(shared, "html_xss"):
        try:
            rendered = render_template("x", "<p>{{ greeting }}</p>", {"greeting": payload}, "letter")
        except ComposingError:
            continue
        assert re.findall(r"<[^>]*>", rendered) == ["<p>", "</p>"]


@pytest.mark.parametrize(
    "source",
    [
        "<{{ greeting }}>",
        "<p {{ greeting }}>x</p>",
        "<p{% if greeting %} class=x{% endif %}>x</p>",
        "<{# #}img src=x>",
        "<{%- if greeting %}img{% endif %}>",
        '<a href="{{ business_website }}">x</a>',
        "<p style='color:red'>x</p>",
        "<img src=x>",
        "<!-- x -->",
        "a < b",
    ],
)
def test_row_34_a_template_cannot_let_a_field_become_a_tag_or_an_attribute(source: str) -> None:
    assert refused_line(source) == 3


@pytest.fixture
def trap() -> Iterator[tuple[str, list[str]]]:
    """A web server that notes every request; nothing may ever arrive."""
    hits: list[str] = []

    class Noting(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            hits.append(self.path)
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None: ...

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Noting)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", hits
    server.shutdown()
    server.server_close()
    thread.join()


LOADING = [
    '<link rel=attachment href="{u}">',
    '<link rel=stylesheet href="{u}">',
    "<style>@import url({u});</style>",
    "<style>@font-face{{font-family:q;src:url({u})}} body{{font-family:q}}</style>q",
    '<img src="{u}">',
    '<p style="background:url({u})">x',
    '<object data="{u}">x</object>',
    '<embed src="{u}">',
    '<svg xmlns="http://www.w3.org/2000/svg"><image href="{u}" width="9" height="9"/></svg>',
    "<style>p::after{{content:url({u})}}</style><p>x",
    '<a rel=attachment href="{u}">x</a>',
]


@pytest.mark.parametrize("source", LOADING)
@pytest.mark.parametrize("scheme", ["http", "file", "ftp", "data"])
def test_row_35_a_page_that_would_load_something_stops_and_nothing_is_fetched(
    source: str, scheme: str, trap: tuple[str, list[str]], tmp_path: Path
) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("root:x:0:0")
    addresses = {
        "http": trap[0] + "/x",
        "file": secret.as_uri(),
        "ftp": "ftp://127.0.0.1/x",
        "data": "data:text/html,<h1>x",
    }
    html = source.format(u=addresses[scheme])
    try:
        printed = print_page(html, "p {}")
    except CannotWrite:
        printed = b""
    assert trap[1] == []
    assert b"EmbeddedFile" not in printed
    assert b"root:" not in printed
    for channel in ("letter", "email"):
        with pytest.raises(TemplateRefused):
            check_template("x", html, NAMES, channel)  # type: ignore[arg-type]


def test_row_35_a_missing_logo_stops_the_letter() -> None:
    with pytest.raises(CannotWrite):
        print_page('<img src="face:logo.png">', "p {}")


@pytest.mark.parametrize(
    "value",
    ["=cmd()", "=1+1", "+1", "-1+2", "@SUM(A1)", "\t=1", "\r=1", "\n=1", " =cmd|' /C calc'!A0", "＝1+1", "＋1", "－1",
     "＠x", "\ufeff=1", "\u00a0=1", "|calc", "%x"],
)  # fmt: skip
def test_row_36_a_cell_that_a_spreadsheet_would_run_is_quoted(value: str) -> None:
    assert quote_cell(value) == f"'{value}"


def test_row_36_every_public_payload_is_quoted(shared: Path) -> None:
    for payload in payloads_of(shared, "csv_formula"):
        assert quote_cell(payload).startswith("'")


@given(st.text())
def test_row_36_no_cell_begins_with_what_a_formula_begins_with(value: str) -> None:
    assert quote_cell(value).lstrip(" \u00a0\ufeff\u200b")[:1] not in set("=+-@|%\t\r\n＝＋－＠")
    assert quote_cell(value).lstrip("'").replace("\0", "") == value.replace("\0", "").lstrip("'")


@pytest.mark.parametrize("value", ["Ana", "O'Neil", "3-4 High St", "", "a=b", 12, None])
def test_row_36_an_ordinary_cell_stays_as_it_is(value: object) -> None:
    assert quote_cell(value) == ("" if value is None else str(value))


def facts_of(settings: Settings, **fields: str) -> Facts:
    known = {**COMMON, **OF_MOMENT["anniversary"], "currency": "USD", "locale": "en_US", **fields}
    signatory = settings.business.signatories[0]
    return Facts(Customer(customer_id="c"), {"email": "maria@example.org"}, signatory, "en_US", known)


def email_words(subject: str = "Thank you, {{ greeting }}") -> Words:
    return Words("anniversary", "email", "en", {"txt": f"{subject}\nDear {{{{ greeting }}}},", "html": "<p>x</p>"}, "")


BREAKS = [
    "x\r\nBcc: evil@example.org",
    "x\nBcc: evil@example.org",
    "x\r\n\r\nbody",
    "x\rBcc: e@e.org",
    "x\x00",
    "x\u2028y",
]


@pytest.mark.parametrize("value", BREAKS)
def test_row_37_a_line_break_in_a_name_subject_or_address_stops_the_email(settings: Settings, value: str) -> None:
    to = ("Maria Lopez", "maria@example.org")

    def write(**changed: object) -> bytes:
        given = {"facts": facts_of(settings), "to": to, "business": settings.business, **changed}
        return write_email(
            **given,
            words=email_words(),
            reference="R",
            key=b"k",  # type: ignore[arg-type]
        )

    assert b"Bcc" not in write()
    with pytest.raises(CannotWrite):
        write(facts=facts_of(settings, greeting=value))
    if "\u2028" in value:
        return
    for changed in ({"to": (value, to[1])}, {"to": (to[0], value)}):
        with pytest.raises(CannotWrite):
            write(**changed)
    with pytest.raises(CannotWrite):
        write(business=settings.business.model_copy(update={"name": value}))


def test_row_37_every_public_payload_leaves_the_headers_as_they_are(shared: Path, settings: Settings) -> None:
    expected = {"From", "To", "Subject", "Message-ID", "List-Unsubscribe", "List-Unsubscribe-Post",
                "X-Outreach-Reference", "MIME-Version", "Content-Type"}  # fmt: skip
    for payload in payloads_of(shared, "crlf_header"):
        try:
            written = write_email(
                facts_of(settings, greeting=payload), email_words(), (payload, "maria@example.org"), settings.business,
                "R", b"k",
            )  # fmt: skip
        except ComposingError:
            continue
        assert set(message_from_bytes(written).keys()) == expected


@pytest.mark.parametrize(
    ("words", "alphabet", "segments"),
    [
        ("", "GSM-7", 1), ("a" * 160, "GSM-7", 1), ("a" * 161, "GSM-7", 2), ("a" * 306, "GSM-7", 2),
        ("a" * 307, "GSM-7", 3), ("€" * 80, "GSM-7", 1), ("€" * 81, "GSM-7", 2), ("é" * 160, "GSM-7", 1),
        ("a" * 152 + "€" + "a" * 152 + "b", "GSM-7", 3), ("Ł" + "a" * 69, "UCS-2", 1), ("Ł" + "a" * 70, "UCS-2", 2),
        ("It’s " + "a" * 66, "UCS-2", 2), ("ç" + "a" * 70, "UCS-2", 2), ("😀" * 35, "UCS-2", 1),
        ("😀" * 36, "UCS-2", 2), ("a" * 66 + "😀" + "a" * 66, "UCS-2", 3), ("It’s " + "a" * 155, "UCS-2", 3),
    ],
)  # fmt: skip
def test_row_38_segments_are_counted_as_the_network_counts_them(words: str, alphabet: str, segments: int) -> None:
    assert count_segments(words) == (alphabet, segments)


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=400))
def test_row_38_segments_hold_the_words_and_one_fewer_would_not(words: str) -> None:
    alphabet, segments = count_segments(words)
    alone, in_a_row = (160, 153) if alphabet == "GSM-7" else (70, 67)
    size = sum(
        1 + (letter in "^{}\\[~]|€\f") if alphabet == "GSM-7" else len(letter.encode("utf-16-le")) // 2
        for letter in words
    )
    assert (segments == 1) == (size <= alone)
    # A border may leave one unit of a segment empty, never more.
    assert segments == 1 or (segments - 1) * (in_a_row - 1) < size <= segments * in_a_row


def test_row_38_a_text_over_its_segments_is_too_long_and_says_how_long(settings: Settings) -> None:
    words = Words("anniversary", "text", "en", {"txt": "{{ business }}: thank you, {{ greeting }}. " + "x" * 110}, "")
    assert write_text(facts_of(settings), words, 2)[1] == 1
    with pytest.raises(TooLong, match="3 segments in UCS-2"):
        write_text(facts_of(settings, greeting="Łucja"), words, 2)


def write_templates(folder: Path, **files: str) -> Templates:
    for name in ("letters", "emails", "texts", "calls"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    for name, source in files.items():
        path = folder / name.replace("__", "/").replace("_dot_", ".")
        path.write_text(source, encoding="utf-8")
    return Templates(folder)


@pytest.mark.parametrize("private", ["treatment", "practitioner_phone|upper }}{{ treatment"])
def test_a_text_and_a_subject_line_cannot_name_a_treatment(tmp_path: Path, private: str) -> None:
    templates = write_templates(
        tmp_path,
        texts__checkin_dot_en_dot_txt=f"{{{{ business }}}}: {{{{ {private} }}}} STOP",
        emails__checkin_dot_en_dot_txt=f"After {{{{ {private} }}}}\nDear {{{{ greeting }}}},",
        emails__checkin_dot_de_dot_txt="Betreff\nIhre Behandlung: {{ treatment }}",
    )
    assert sorted(templates.refused) == ["emails/checkin.en.txt", "texts/checkin.en.txt"]


def test_a_text_that_does_not_say_who_writes_or_how_to_stop_is_refused(tmp_path: Path) -> None:
    templates = write_templates(
        tmp_path,
        texts__checkin_dot_en_dot_txt="Hello {{ greeting }}. Reply STOP to stop",
        texts__anniversary_dot_en_dot_txt="{{ business }}: thank you",
    )
    assert len(templates.refused) == 2


def test_a_filter_that_does_not_fit_its_field_is_refused_before_any_customer_is_read(tmp_path: Path) -> None:
    templates = write_templates(
        tmp_path,
        calls__checkin_dot_en_dot_txt="About\n{{ greeting|longdate }}",
        calls__anniversary_dot_en_dot_txt="About\n{{ years|in_words }} {{ since|longdate }} {{ reward|money }}",
    )
    assert list(templates.refused) == ["calls/checkin.en.txt"]


def test_a_file_that_is_no_template_of_ours_is_refused_by_name(tmp_path: Path) -> None:
    templates = write_templates(tmp_path, letters__birthday_dot_en_dot_html="<p>x</p>", texts__x_dot_html="x")
    assert sorted(templates.refused) == ["letters/birthday.en.html", "texts/x.html"]


def test_every_field_has_a_sample_that_every_filter_for_its_kind_can_write() -> None:
    fields = {**fields_for("anniversary", "letter"), "currency": "USD", "locale": "en_US"}
    source = "{{ years|in_words|capitalize }} {{ since|longdate }} {{ since|monthday }} {{ reward|money }}"
    assert render_template("x", source, fields, "plain") == "Three March 10, 2023 March 10 $20"


def test_an_unsubscribe_token_names_its_message_only_to_whoever_made_it() -> None:
    token = unsubscribe_token(b"key", "K7QF-2M9X-TB4D")
    assert read_unsubscribe_token(b"key", token) == "K7QF-2M9X-TB4D"
    assert read_unsubscribe_token(b"other", token) is None
    for forged in ("", ".", "K7QF-2M9X-TB4D", token[:-1], token.replace("K7QF", "K7QG"), token + "0", "\ud800.x"):
        assert read_unsubscribe_token(b"key", forged) is None
