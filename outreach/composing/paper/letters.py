"""Prints a letter: its words in the hand of whoever signs it, with the recipient's address, ours and vouchers."""

import re
import unicodedata
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import date
from functools import lru_cache
from html import unescape
from typing import Any

from babel.dates import format_date
from markupsafe import Markup

from outreach.composing.handwriting.ink import Ink
from outreach.composing.handwriting.page_setup import Sheet
from outreach.composing.handwriting.pens import (
    LINE_HEIGHT,
    SET_AT,
    TYPED,
    TYPED_WIDER,
    Pen,
    face_path,
    missing_typed,
    typed_faces,
)
from outreach.composing.paper.address_lines import fit_address
from outreach.composing.paper.addresses import Address
from outreach.composing.paper.letterhead import read_letterhead
from outreach.composing.paper.pen_choice import blame_for_unwritable, choose_pen, name_characters, tell_scripts
from outreach.composing.paper.sizes import Paper, most_pages_of, paper_for
from outreach.composing.paper.vouchers import Voucher, draw_code
from outreach.composing.paper.windows import zones_for
from outreach.composing.template_data import Facts
from outreach.composing.templating.engine import Fields, render_template
from outreach.composing.templating.small_print import fill_layout, signature_line, small_print, title_of
from outreach.composing.templating.templates import Words
from outreach.errors import CannotWrite, SettingsError, TooLong
from outreach.money import write_money
from outreach.settings import Business, Settings

SCALES = (1.0, 0.94, 0.88)
# What a line of the sender's takes beside a letterhead, and the least a letterhead can be made out at, in mm.
SENDER_LINE, LOWEST_LETTERHEAD = 4.0, 4.0
VOUCHER_HEIGHT, VOUCHERS_ON_A_PAGE = 34, 4


def write_letter(
    facts: Facts,
    words: Words,
    rendered: str,
    address: Address,
    settings: Settings,
    on: date,
    reference: str,
    vouchers: Sequence[Voucher] = (),
) -> bytes:
    """The PDF, dated `on`, of one page or of as many as the settings and the provider allow, and its `vouchers`.

    `rendered` is what `render_letter` gives. No two references give the same handwriting, and one gives the same for
    ever. Raises CannotWrite for characters of the customer's that neither the pen nor the fallback pen can write and
    TemplateRefused for those of the template, TooLong when pages or window cannot hold it, SettingsError for a
    letterhead or a line of ours that cannot be printed.
    """
    provider, letterhead = settings.provider_for("letter"), read_letterhead(settings)
    paper = paper_for(address.country, provider)
    gifts = [_describe(voucher, facts.locale, words.language) for voucher in vouchers]
    of_gifts = [said for gift in gifts for said in gift.values()]
    pen, values = lay_out(facts, words, rendered, address, settings, on, reference, of_gifts)
    values["address"], size = fit_address(values["address"], paper.address, values["typed"])
    html = fill_layout(
        "letter.html",
        **values,
        title=title_of("letter", words.language, settings.business, reference),
        address_size=size,
        letterhead_height=letterhead and letterhead_height(settings.business, paper, provider),
        vouchers=gifts,
        is_strip=settings.paper.voucher == "strip",
        strip=VOUCHER_HEIGHT,
    )
    pictures = {voucher.code: draw_code(voucher.code) for voucher in vouchers}
    pictures |= {"letterhead": letterhead} if letterhead else {}
    enclosed = -(-len(vouchers) // VOUCHERS_ON_A_PAGE) if settings.paper.voucher == "page" else 0
    held = most_pages_of(provider, address.country == settings.business.country)
    most = [min(pages + enclosed, held) for pages in sorted({1, settings.paper.most_pages})]
    is_lasting = settings.paper.format == "PDF/A-2b"
    # A smaller hand on fewer pages comes before a larger one on more.
    tries = [(Sheet(pages, 0.0, is_lasting, pictures), scale) for pages in most for scale in SCALES]
    typed = values["typed"]
    return print_smaller(
        html, lambda sheet, scale: _style(paper, pen, typed, scale, sheet.most_pages), pen, reference, tries
    )


def render_letter(facts: Facts, words: Words) -> str:
    """The words of a letter or card as HTML, with its facts in them. Raises FieldMissing for one that it lacks."""
    return render_template(words.name("html"), words.sources["html"], unbroken(facts.fields), "letter")


def lay_out(
    facts: Facts,
    words: Words,
    rendered: str,
    address: Address,
    settings: Settings,
    on: date,
    reference: str,
    of_gifts: Sequence[str] = (),
) -> tuple[Pen, dict[str, Any]]:
    """The pen, and what every layout of handwritten paper is filled with. Raises as `write_letter` does.

    `of_gifts` is what is typed on the page besides, of its vouchers.
    """
    business = settings.business
    body = unicodedata.normalize("NFC", rendered)
    day = unicodedata.normalize("NFC", format_date(on, "long", locale=facts.locale))
    # The faces have a letter with its accent as one character, and not as two.
    lines = [unicodedata.normalize("NFC", line) for line in (address.name, *address.lines)]
    stop = small_print(words.language)["stop_letters"].format(phone=business.phone, email=business.email)
    signed = signature_line(facts.signatory, business)
    ours = [stop, signed, reference, business.name, *business.address]
    _require_typed([*lines, *of_gifts])
    _require_ours(ours)
    return _choose_pen(settings, facts, words, unescape(re.sub(r"<[^<>]*>", " ", body)), day), {
        "language": words.language,
        "reference": reference,
        "business": business,
        "address": lines,
        "day": day,
        "body": Markup(body),  # noqa: S704 - the template's tags are checked, and every field in it is escaped
        "signatory": facts.signatory,
        "signed": signed,
        "stop": stop,
        "typed": typed_faces(_typed_words([*lines, *of_gifts, *ours])),
    }


def _choose_pen(settings: Settings, facts: Facts, words: Words, said: str, day: str) -> Pen:
    """The pen for what is `said`. Raises TemplateRefused where the template's own words are at fault."""
    try:
        return choose_pen(settings, facts.signatory, said + day)
    except CannotWrite:
        blame_for_unwritable(settings, words.name("html"), words.sources["html"], facts.signatory, facts.fields, said)
        raise


def _describe(voucher: Voucher, locale: str, language: str) -> dict[str, str]:
    phrases = small_print(language)
    gift = phrases["voucher_gift"].format(amount=write_money(voucher.amount, voucher.currency, locale, short=True))
    return {"code": voucher.code, "gift": gift, "how": phrases["voucher_how"]}


def letterhead_height(business: Business, paper: Paper, provider: str) -> float:
    """How high the letterhead may be, in mm, above the lines of our address and what the provider prints over.

    Raises SettingsError for too many lines.
    """
    height = paper.sender.height - SENDER_LINE * len(business.address) - 1
    if covered := zones_for(provider, paper).covered:
        height = min(height, covered.top - paper.sender.top)
    if height < LOWEST_LETTERHEAD:
        raise SettingsError("business.address leaves no room for the letterhead above it; write it in fewer lines")
    return height


def print_smaller(
    html: str, style: Callable[[Sheet, float], str], pen: Pen, reference: str, tries: Sequence[tuple[Sheet, float]]
) -> bytes:
    """The first of `tries`, each a sheet and a scale, that holds the words: a hand too writes smaller to fit a page.

    Raises TooLong when none does.
    """
    # WeasyPrint takes half a second to import, and most commands print no letter.
    from outreach.composing.handwriting.press import print_page

    fonts, ink = (pen.path, pen.signs_with.path), Ink(reference, {pen.name, pen.signs_with.name})
    for sheet, scale in tries[:-1]:
        with suppress(TooLong):
            return print_page(html, style(sheet, scale), fonts, ink, sheet)
    sheet, scale = tries[-1]
    return print_page(html, style(sheet, scale), fonts, ink, sheet)


def unbroken(fields: Fields) -> Fields:
    """The fields with spaces that keep a number, and a title with its name, on one line."""
    kept = {
        name: str(value).replace(" ", "\u00a0") for name, value in fields.items() if value and name.endswith("_phone")
    }
    if practitioner := fields.get("practitioner"):
        kept["practitioner"] = str(practitioner).replace(". ", ".\u00a0")
    return {**fields, **kept}


def _typed_words(lines: Sequence[str]) -> str:
    return re.sub(r"\s", " ", "".join(lines))


def _require_typed(lines: Sequence[str]) -> None:
    if missing := missing_typed(_typed_words(lines)):
        raise CannotWrite(
            f"no face we have can print {tell_scripts(missing)} of its address or small print; write name and address "
            "in Latin letters in the customer data, or choose another channel, such as e-mail"
        )


def _require_ours(lines: Sequence[str]) -> None:
    """What outreach.toml says of us stands in every letter: one that cannot be printed is no customer's fault."""
    if missing := missing_typed(_typed_words(lines)):
        faces = f"Neither {TYPED} nor {TYPED_WIDER}"
        raise SettingsError(f"{faces} can print {name_characters(missing)}; mend [business] in outreach.toml")


def hands_of(pen: Pen, typed: Sequence[str], scale: float) -> dict[str, Any]:
    """What every style sheet of handwritten paper is filled with: its fonts, and how large."""
    hands = {pen.name: pen.path, pen.signs_with.name: pen.signs_with.path}
    fonts = {family: face_path(family) for family in typed} | hands
    return {
        "pen": pen,
        "size": SET_AT * scale,
        "line_height": LINE_HEIGHT * scale,
        "typed": Markup(", ".join(f'"{family}"' for family in typed)),  # noqa: S704 - names of our own
        "fonts": [(family, font.name) for family, font in fonts.items()],
    }


@lru_cache(maxsize=32)
def _style(paper: Paper, pen: Pen, typed: Sequence[str], scale: float, most_pages: int) -> str:
    hands = hands_of(pen, typed, scale)
    return fill_layout("letter.css", paper=paper, most_pages=most_pages, strip=VOUCHER_HEIGHT, **hands)
