"""Amounts as programs and people write them: each is read as one number, or refused with the reason."""

from decimal import Decimal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from outreach.intake.cells.amounts import WrittenAmount, read_amount
from outreach.intake.cells.parsers import to_minor_units
from outreach.intake.cells.unfit import Unfit

NARROW, NO_BREAK = "\u202f", "\u00a0"
READ_WITH_A_POINT = {
    "1234": "1234", "1234.5": "1234.5", "1234.50": "1234.50", "0": "0", "0.00": "0", "007": "7", ".5": "0.5",
    "5.": "5", "129.16000000000003": "129.16000000000003",
    # Thousands
    "1,234": "1234", "1,234.50": "1234.50", "1,234,567.89": "1234567.89", "12,34,567.00": "1234567",
    "1'234.50": "1234.50", "1’234’567": "1234567", "1 234.50": "1234.50", f"1{NO_BREAK}234{NO_BREAK}567": "1234567",
    f"1{NARROW}234.5": "1234.5",
    # Under nothing
    "-5": "-5", "- 5": "-5", "−5.25": "-5.25", "5-": "-5", "5.00 -": "-5", "5−": "-5", "(5.00)": "-5",
    "( 1,234.50 )": "-1234.50", "-0": "0", "+5": "5",
    # With a currency
    "$5": "5", "$ 1,234.50": "1234.50", "-$3.00": "-3", "$-3.00": "-3", "($3.00)": "-3", "$3.00-": "-3",
    "US$5": "5", "us$5": "5", "A$5.50": "5.50", "5 USD": "5", "USD 5": "5", "usd5": "5", "EUR -5": "-5",
    "5.00€": "5", "£1,000": "1000", "¥1200": "1200", "₹1,23,456.50": "123456.50", "Rs. 500": "500", "Rs.500": "500",
    "CHF 1'234.50": "1234.50", "Fr. 5": "5", "5 kr": "5", "5 kr.": "5", "5 zł": "5", "500 Ft": "500",
    # Digits of other scripts are digits.
    "١٢٣": "123",
}  # fmt: skip
READ_WITH_A_COMMA = {
    "1234": "1234", "1234,50": "1234.50", "1.234": "1234", "1.234,50": "1234.50", "1.234.567,8": "1234567.8",
    "1 234,50 €": "1234.50", f"1{NARROW}234{NARROW}567,00 €": "1234567", "1'234,50": "1234.50", "-12,5": "-12.5",
    "(12,50)": "-12.50", "12,50-": "-12.50", "€ 12,50": "12.50", "12,50 EUR": "12.50", ",5": "0.5",
    "R$ 1.234,50": "1234.50",
}  # fmt: skip


@pytest.mark.parametrize(
    ("text", "decimal", "number"),
    [*((text, ".", number) for text, number in READ_WITH_A_POINT.items()),
     *((text, ",", number) for text, number in READ_WITH_A_COMMA.items())],
)  # fmt: skip
def test_an_amount_is_read_as_it_is_written(text: str, decimal: str, number: str) -> None:
    assert read_amount(text, decimal) == Decimal(number)


NOT_WRITTEN = "this is not an amount written like"
NO_CURRENCY = "a word or a sign stands beside the amount that is no currency's"
REFUSED = {
    NOT_WRITTEN: (
        "", "many", "-", "$", "USD", "()", ".", "1e5", "0x10", "12,345,67", "1,234,56.00",
        "1.2.3", "1.234.5", "1,234 567", "1 23", "12 34", "1' 234", "1..5", "5 5", "1/2", "--5", "-5-", "(-5)", "(5",
        "5)", "((5))", "$5 USD", "$5€", "5 to 7", "2026-03-10", "nan", "Infinity", "½", "1" * 61,
    ),
    NO_CURRENCY: ("5 pcs", "5%", "#5", "R 500", "XYZ 5", "5 CR", "~5", "USD$5", "5²"),
}  # fmt: skip


@pytest.mark.parametrize(("text", "reason"), [(text, reason) for reason, texts in REFUSED.items() for text in texts])
def test_what_is_no_amount_is_refused_and_not_repeated(text: str, reason: str) -> None:
    with pytest.raises(Unfit) as refused:
        read_amount(text, ".")
    told = str(refused.value)
    assert reason in told
    assert len(text) < 4 or text not in told


@pytest.mark.parametrize(
    ("text", "decimal", "other"),
    [("12,50", ".", ","), ("1.234,50", ".", ","), ("-12,5 €", ".", ","), ("1,2", ".", ","), ("1,2345", ".", ","),
     ("12.50", ",", "."),
     ("$1,234.50", ",", ".")],
)  # fmt: skip
def test_the_other_decimal_mark_is_told_as_the_mapping_would_say_it(text: str, decimal: str, other: str) -> None:
    with pytest.raises(Unfit, match=f'say so in the mapping: decimal = "{other}"'):
        read_amount(text, decimal)


# Beside a currency


@pytest.mark.parametrize(
    ("text", "currency", "units"),
    [("$5", "USD", 500), ("$5", "CAD", 500), ("US$5", "USD", 500), ("5 EUR", "EUR", 500), ("£5", "GBP", 500),
     ("¥500", "JPY", 500), ("¥5", "CNY", 500), ("kr 5", "SEK", 500), ("5", "KWD", 5000), ("5.25", "KWD", 5250),
     ("1,234,567", "KWD", 1234567000), ("129.16000000000003", "USD", 12916), ("-0.01", "USD", -1)],
)  # fmt: skip
def test_an_amount_becomes_the_smallest_units_of_its_rows_currency(text: str, currency: str, units: int) -> None:
    assert to_minor_units(read_amount(text, "."), currency) == units


@pytest.mark.parametrize(
    ("text", "currency", "reason"),
    [
        ("€5", "USD", "the amount is written with EUR, and its row is in USD; map the currency too"),
        ("US$5", "CAD", "written with USD, and its row is in CAD"),
        ("$5", "EUR", "written with another currency's sign, and its row is in EUR"),
        ("¥5", "USD", "written with CNY or JPY, and its row is in USD"),
        ("5 GBP", "USD", "written with GBP, and its row is in USD"),
        ("5.005", "USD", "the amount has more than 2 decimals, which USD does not have"),
        ("5.5", "JPY", "the amount has more than 0 decimals, which JPY does not have"),
        ("1,234", "KWD", "this may be thousands or decimals, for KWD has three; say decimal in the mapping"),
    ],
)
def test_an_amount_that_contradicts_its_rows_currency_is_refused(text: str, currency: str, reason: str) -> None:
    with pytest.raises(Unfit, match=reason):
        to_minor_units(read_amount(text, "."), currency)


def test_what_is_known_of_an_amount_stays_with_it() -> None:
    amount = read_amount("€1,234", ".")
    for other in (amount.negated(), amount.less(Decimal(4))):
        assert (other.currencies, other.may_be_decimals) == (frozenset({"EUR"}), True)
    assert (amount.negated(), amount.less(Decimal(4))) == (-1234, 1230)


# For any text and any number

LIKELY = st.text(st.sampled_from("0123456789.,'’ \u00a0\u202f()+-−$€£USDkr٣²½%\n"), max_size=12)
MARKS = st.sampled_from([".", ","])


@given(st.text(max_size=70) | LIKELY, MARKS)
@example("1" * 60, ".")
@example("(" * 60, ".")
def test_any_text_is_an_amount_or_does_not_fit(text: str, decimal: str) -> None:
    try:
        amount = read_amount(text, decimal)
    except Unfit:
        return
    assert isinstance(amount, WrittenAmount)
    assert amount.is_finite()
    assert any(letter.isdecimal() for letter in text)


def group(digits: str, mark: str) -> str:
    """The digits parted in threes from their end."""
    first = len(digits) % 3 or 3
    return mark.join([digits[:first], *(digits[at : at + 3] for at in range(first, len(digits), 3))])


@given(
    whole=st.integers(0, 10**15),
    fraction=st.text(st.sampled_from("0123456789"), max_size=4),
    decimal=MARKS,
    mark=st.sampled_from(["", "other", "'", "’", " ", NO_BREAK, NARROW]),
    frame=st.sampled_from(["{}", "-{}", "({})", "{}-", "−{}", "$-{}", "-{} EUR", "€ {}"]),
)
def test_a_number_that_is_written_with_any_thousands_mark_is_read_back(
    whole: int, fraction: str, decimal: str, mark: str, frame: str
) -> None:
    other = "," if decimal == "." else "."
    written = group(str(whole), other if mark == "other" else mark) + (decimal + fraction if fraction else "")
    number = Decimal(f"{whole}.{fraction or 0}")
    sign = -1 if set(frame) & set("-(−") else 1
    assert read_amount(frame.format(written), decimal) == sign * number
