"""How written our pages are, and how fast: beside the plain face, and beside other ways of making the same page.

    .venv/bin/python benchmarks/pages.py believable|identity|legible|extraction|speed|memory|all

`believable`: how much a page varies beside real handwriting (believability.py), and a score, for each pen and its base
face.
`identity`: the share of letters on a page whose outline comes again, moved aside or not, and of those whose nearest
repeat has the same form, for each pen and its base face. `legible`: the share of characters, and of digits
and signs of money, that tesseract misreads.
`extraction`: whether three readers get the same words out. `speed`: letters a second and core, medians of side-by-side
rounds; what is not installed is said and left out. `memory`: the most memory over 1,000 letters.
"""

import argparse
import io
import json
import math
import random
import re
import resource
import shutil
import statistics
import string
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import fields, replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pypdfium2
from jinja2 import Environment, FileSystemLoader, select_autoescape
from markupsafe import Markup
from pypdf import PdfReader
from weasyprint import CSS, HTML
from weasyprint.text.fonts import FontConfiguration

from outreach.composing.handwriting.font.compiler import Recipe, compile_pen
from outreach.composing.handwriting.font.recipes import RECIPES
from outreach.composing.handwriting.font.variation import Habit
from outreach.composing.handwriting.ink import Ink
from outreach.composing.handwriting.pens import LINE_HEIGHT, SET_AT, TYPED, Pen, face_path, find_pens
from outreach.composing.paper.addresses import Address
from outreach.composing.paper.letters import hands_of, render_letter, write_letter
from outreach.composing.paper.sizes import US_LETTER
from outreach.composing.template_data import Facts
from outreach.composing.templating import small_print
from outreach.composing.templating.templates import Templates, Words
from outreach.models import Customer
from outreach.settings import Business, Settings, Signatory, load_settings

ON = date(2026, 3, 10)
ROUNDS = 7
ADDRESS = Address(
    "Mrs. Maria Lopez", ("27 Orchard Terrace", "Apartment 4B", "Winooski, VT 05404"), "05404", "US",
    ("27 Orchard Terrace", "Apartment 4B"), "Winooski", "VT",
)  # fmt: skip
FIELDS: dict[str, Any] = {
    "locale": "en_US",
    "greeting": "Maria", "years": 3, "business": "Alder Lane Dental", "reward": 2000, "wards": "",
    "several_wards": False, "currency": "USD", "signatory": "Nora Whitcomb", "signatory_phone": "+1 802 555 0142",
    "business_phone": "+1 802 555 0140", "business_email": "hello@alderlane.example", "business_website": "",
    "signatory_role": "front desk", "since": "",
}  # fmt: skip
FILTERS: dict[str, Callable[..., Any]] = {"in_words": {3: "three"}.get, "money": {2000: "$20"}.get}
LAYOUTS = Path(small_print.__file__).parent / "layouts"
Make = Callable[[int], bytes]


def settings_for(pen: str) -> Settings:
    """A small practice whose letters are signed with `pen`."""
    signatory = Signatory(name="Nora Whitcomb", role="front desk", pen=pen, consent_on=date(2025, 1, 1))
    return load_settings(
        secret="for measuring only",
        business=Business(
            name="Alder Lane Dental", address=["14 Alder Lane", "Burlington, VT 05401"], phone="+1 802 555 0140",
            email="hello@alderlane.example", signatories=[signatory],
        ),
    )  # fmt: skip


def letter_maker(pen: str, kind: str = "anniversary", own: Path | None = None) -> Make:
    """Letters of one moment as the program makes them, each with a reference of its own; `own` may have the pen."""
    settings = settings_for(pen).model_copy(update={"pens": own} if own else {})
    words = words_of(settings, kind)
    facts = Facts(Customer(customer_id="c1"), {}, settings.business.signatories[0], "en_US", FIELDS)

    def write(number: int) -> bytes:
        return write_letter(facts, words, render_letter(facts, words), ADDRESS, settings, ON, f"ANNI-{number:05}")

    return write


def words_of(settings: Settings, kind: str) -> Words:
    return Templates(settings.templates).find(kind, "letter", ["en"])


def naive_maker(pen: str, has_ink: bool = True, own: Path = Path("none"), kind: str = "anniversary") -> Make:
    """The same letter from the same template and layouts, everything anew each time, as a first program would do it."""
    settings, chosen = settings_for(pen), find_pens(own)[pen]
    fonts = [(TYPED, face_path(TYPED)), (pen, chosen.path), (chosen.signs_with.name, chosen.signs_with.path)]

    def make(number: int) -> bytes:
        environment = Environment(
            loader=FileSystemLoader([LAYOUTS, settings.templates]), autoescape=select_autoescape()
        )
        environment.filters |= FILTERS
        body = environment.get_template(f"letters/{kind}.en.html").render(FIELDS)
        filled = values_for(settings, f"ANNI-{number:05}", body, chosen)
        html = environment.get_template("letter.html").render(filled)
        css = environment.get_template("letter.css").render(filled)
        for _, path in fonts:
            css = css.replace(f"font:{path.name}", path.as_uri())
        found = FontConfiguration()
        sheet = CSS(string=css, font_config=found)
        page = HTML(string=html, base_url=LAYOUTS.as_uri()).render(stylesheets=[sheet], font_config=found)
        if has_ink:
            Ink(f"ANNI-{number:05}", {pen, chosen.signs_with.name}).attach(page)
        made = page.write_pdf(pdf_variant="pdf/ua-1", pdf_tags=True)
        return bytes(made)

    return make


def values_for(settings: Settings, reference: str, body: str, pen: Pen) -> dict[str, Any]:
    lines = [ADDRESS.name, *ADDRESS.lines]
    return {
        "language": "en", "reference": reference, "business": settings.business, "address": lines,
        "day": "March 10, 2026", "body": Markup(body), "signatory": settings.business.signatories[0],
        "signed": "Front desk, Alder Lane Dental", "stop": "To stop letters, call +1 802 555 0140 or write to us.",
        "address_size": 10.5, "title": reference,
        "paper": US_LETTER, "most_pages": 1, **hands_of(pen, (TYPED,), 1.0),
        "strip": 34, "vouchers": [], "is_strip": False, "letterhead_height": None,
    }  # fmt: skip


def paragraphs(kind: str = "anniversary") -> list[str]:
    """The words of the letter, for those that are not given HTML."""
    environment = Environment(autoescape=True)
    environment.filters |= FILTERS
    body = environment.from_string(words_of(settings_for("Alder"), kind).sources["html"]).render(FIELDS)
    return [" ".join(part.split()) for part in re.findall(r"<p>(.*?)</p>", body, re.DOTALL)]


# How written


def believable() -> None:
    """Here, because only this measure needs the other modules of this folder."""
    from believability import SCALE, measure_page, score
    from written_body import scan_body

    print("three letters by each pen: score (0 plain, 100 real), and separate letters that were measured")
    said, figures = paragraphs()[:-1], dict[str, list[dict[str, float]]](pen=[], plain=[])
    for recipe in RECIPES:
        make = letter_maker(recipe.name)
        pages = {"pen": [make(number) for number in range(3)], "plain": [plain_page(recipe)]}
        found = {
            kind: [measure_page(*scan_body(body, said)) or {} for body in bodies] for kind, bodies in pages.items()
        }
        scores = {kind: statistics.mean(score(each) for each in measured if each) for kind, measured in found.items()}
        letters = statistics.mean(each["letters"] for each in found["pen"] if each)
        print(
            f"  {recipe.name:8} {scores['pen']:3.0f}   plain {scores['plain']:3.0f}   {letters:4.0f} letters",
            flush=True,
        )
        for kind, measured in found.items():
            figures[kind].append({name: median_of(measured, name) for name in [*SCALE, "word gap, cv %"]})
    print(f"  {'medians of the eight':28} {'plain':>6} {'pens':>6} {'real':>6}")
    for name in figures["pen"][0]:
        real = f"{SCALE[name][1]:6.2f}" if name in SCALE else "     –"
        print(f"  {name:28} {median_of(figures['plain'], name):6.2f} {median_of(figures['pen'], name):6.2f} {real}")


def median_of(figures: list[dict[str, float]], name: str) -> float:
    """The median of what has that measure."""
    had = [each[name] for each in figures if not math.isnan(each.get(name, math.nan))]
    return statistics.median(had) if had else math.nan


def identity() -> None:
    print("over eight letters: share whose outline comes again on its page; whose nearest repeat has its form")
    for recipe in RECIPES:
        pages = [count_repeats(letter_maker(recipe.name)(number), recipe.name) for number in range(8)]
        ours = [statistics.mean(shares) for shares in zip(*pages, strict=True)]
        plain = count_repeats(plain_page(recipe), "plain", are_alike=True)
        print(f"  {recipe.name:8} {ours[0]:6.1%} {ours[1]:6.1%}   plain {plain[0]:6.1%} {plain[1]:6.1%}")


def plain_page(recipe: Recipe, kind: str = "anniversary") -> bytes:
    """The same letter in the base face as it is, as large as the pen writes, without ink."""
    still = replace(Habit(*[0.0] * len(fields(Habit))), join=Habit().join)
    plain = replace(recipe, name=f"{recipe.name} plain", habit=still)
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, f"{plain.name}.ttf").write_bytes(compile_pen(plain, string.printable + "’“”–"))
        return naive_maker(plain.name, False, Path(folder), kind)(1)


def count_repeats(body: bytes, pen: str, are_alike: bool = False) -> tuple[float, float]:
    """The two shares, among letters that come more than once: same form under the same turn and size, and nearest.

    In a plain face, all forms of a letter `are_alike`.
    """
    drawn = [
        (character, 0 if are_alike else glyph, at)
        for character, glyph, at in drawn_letters(body, pen)
        if character.isalpha()
    ]
    often = Counter(character for character, _, _ in drawn)
    repeated = [each for each in drawn if often[each[0]] > 1]
    alike = Counter(repeated)
    last: dict[str, int] = {}
    nearest = []
    for character, glyph, _ in drawn:
        if character in last:
            nearest.append(last[character] == glyph)
        last[character] = glyph
    return sum(alike[each] > 1 for each in repeated) / len(repeated), sum(nearest) / len(nearest)


def drawn_letters(body: bytes, pen: str) -> list[tuple[str, int, tuple[float, ...]]]:
    """Each letter written with `pen`: its character, its form, and the turn, size and slant it was drawn under."""
    page = PdfReader(io.BytesIO(body)).pages[0]
    named = {
        name[1:]: unicode_of(font.get_object())
        for name, font in page["/Resources"]["/Font"].items()
        if str(font.get_object()["/BaseFont"]).endswith(pen)
    }
    drawn, at, known = [], (1.0, 0.0, 0.0, 1.0), {}
    orders = rb"/(\S+) [-\d.]+ Tf|([-\d. ]+) Tm|\[((?:<[^>]*>|[^\]])*)\] ?TJ"
    for font, place, shown in re.findall(orders, page.get_contents().get_data()):
        if font:
            known = named.get(font.decode(), {})
        elif place:
            at = tuple(float(part) for part in place.split()[:4])
        for text in re.findall(rb"<([0-9a-f]*)>", shown):
            codes = [int(text[first : first + 4], 16) for first in range(0, len(text), 4)]
            drawn += [(known[code], code, at) for code in codes if code in known]
    return drawn


def unicode_of(font: Any) -> dict[int, str]:
    said = font["/ToUnicode"].get_object().get_data().decode("latin-1").partition("endcodespacerange")[2]
    pairs = re.findall(r"<([0-9A-Fa-f]{4})>\s*<([0-9A-Fa-f]+)>", said)
    return {int(glyph, 16): bytes.fromhex(text).decode("utf-16-be") for glyph, text in pairs}


# A plain page is the same each time: it is seen at these dots an inch, so that one digit more or less decides nothing.
SCANS = (291, 294, 297, 300, 303, 306)


def legible() -> None:
    if not shutil.which("tesseract"):
        print("tesseract is not installed: whether OCR reads our pages is NOT measured")
        return
    print("what tesseract misreads of twelve letters: pen, face, difference in points; then the same of digits alone")
    for recipe in RECIPES:
        ours, plain = [], []
        for kind in ("anniversary", "referral_ask"):
            truth = " ".join(paragraphs(kind))
            make = letter_maker(recipe.name, kind)
            ours += [misread(make(number), truth, US_LETTER.body_top) for number in range(6)]
            page = plain_page(recipe, kind)
            plain += [misread(page, truth, US_LETTER.body_top, dots) for dots in SCANS]
        said = ""
        for pen, face in zip(means_of(ours), means_of(plain), strict=True):
            said += f" {pen:6.1%} {face:6.1%} {100 * (pen - face):+5.1f}"
        print(f"  {recipe.name:8}{said}", flush=True)


def means_of(shares: list[tuple[float, float]]) -> list[float]:
    return [statistics.mean(each) for each in zip(*shares, strict=True)]


def misread(body: bytes, truth: str, top: float = 0.0, dots: int = 300) -> tuple[float, float]:
    """The share of the characters of `truth`, and of its digits and signs of money, that tesseract does not read.

    In order, below `top` mm, in a picture of so many `dots` an inch.
    """
    picture = io.BytesIO()
    page = pypdfium2.PdfDocument(body)[0].render(scale=dots / 72).to_pil().convert("L")
    dense = dots / 25.4
    page.crop((0, round(top * dense), page.width, round((page.height / dense - 20) * dense))).save(picture, "PNG")
    told = subprocess.run(
        ["tesseract", "-", "-", "--psm", "6", "-l", "eng"], input=picture.getvalue(), capture_output=True, check=True
    )  # fmt: skip
    read = " ".join(told.stdout.decode().split())
    missed = find_misread(truth, read)
    numbers = [place for place, character in enumerate(truth) if character in "0123456789$"]
    return len(missed) / len(truth), len(missed.intersection(numbers)) / len(numbers)


def find_misread(truth: str, read: str) -> set[int]:
    """The places in `truth` that must be changed or taken out to get what was read, with the fewest edits."""
    written, told = (np.frombuffer(text.encode("utf-32-le"), np.uint32) for text in (truth, read))
    steps = np.arange(len(told) + 1)
    rows = [steps]
    for place, letter in enumerate(written):
        above = rows[-1]
        row = np.concatenate([[place + 1], np.minimum(above[1:] + 1, above[:-1] + (told != letter))])
        # What was read too much costs one more to the right.
        rows.append(np.minimum.accumulate(row - steps) + steps)
    missed, at, place = set(), len(told), len(written)
    while place:
        if at and rows[place][at] == rows[place][at - 1] + 1:
            at -= 1
            continue
        is_same = at > 0 and written[place - 1] == told[at - 1]
        is_beside = at > 0 and rows[place][at] == rows[place - 1][at - 1] + (not is_same)
        place, at = place - 1, at - is_beside
        if not (is_beside and is_same):
            missed.add(place)
    return missed


def extraction() -> None:
    differ = []
    for recipe in RECIPES:
        body = letter_maker(recipe.name)(1)
        said = readings(body)
        truth = " ".join(paragraphs())
        differ += [f"{recipe.name} by {reader}" for reader, words in said.items() if truth not in words]
        print(f"  {recipe.name:8} read by {', '.join(said)}: {len(truth)} characters")
    print("all the same, letter for letter" if not differ else f"DIFFER: {', '.join(differ)}")


def readings(body: bytes) -> dict[str, str]:
    """What each reader that is here gets out of a letter, with single spaces."""
    said = {
        "pdfium": pypdfium2.PdfDocument(body)[0].get_textpage().get_text_bounded(),
        "pypdf": PdfReader(io.BytesIO(body)).pages[0].extract_text(),
    }
    if shutil.which("pdftotext"):
        told = subprocess.run(["pdftotext", "-", "-"], input=body, capture_output=True, check=True)
        said["pdftotext"] = told.stdout.decode()
    return {reader: " ".join(words.split()) for reader, words in said.items()}


# How fast


def speed() -> None:
    makers: dict[str, tuple[Make, int]] = {
        "ours, with ink": (letter_maker("Alder"), 12),
        "WeasyPrint anew, with ink": (naive_maker("Alder"), 6),
        "WeasyPrint anew, no ink": (naive_maker("Alder", has_ink=False), 6),
    }
    makers |= {name: found for name, find in PEERS.items() if (found := find()) is not None}
    rates: dict[str, list[float]] = {name: [] for name in makers}
    sizes = {name: len(make(0)) for name, (make, _) in makers.items()}
    for turn in range(ROUNDS):
        for name, (make, count) in makers.items():
            began = cpu_seconds()
            for number in range(count):
                make(1 + turn * count + number)
            rates[name].append(count / (cpu_seconds() - began))
    ours = statistics.median(rates["ours, with ink"])
    print("letters a second and core (CPU time, children's too), bytes of a letter, ours against it")
    for name, found in rates.items():
        rate = statistics.median(found)
        print(f"  {name:28} {rate:7.1f} {sizes[name]:8,} {ours / rate:5.2f} ×")


def cpu_seconds() -> float:
    """Of this process and of those it waited for; Chromium's run on and are read from /proc."""
    own, children = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    return sum((own.ru_utime, own.ru_stime, children.ru_utime, children.ru_stime)) + chromium_seconds()


def chromium_seconds() -> float:
    ticks = 0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            name, _, rest = stat.read_text().partition("(")[2].rpartition(")")
        except OSError:
            continue
        if name.startswith("chrom"):
            ticks += sum(int(part) for part in rest.split()[11:13])
    return ticks / 100


def typst_maker() -> tuple[Make, int] | None:
    import typst

    folder = Path(tempfile.mkdtemp())
    (folder / "letter.typ").write_text(TYPST)
    base = RECIPES[0].base
    fonts = folder / "fonts"
    fonts.mkdir()
    for face in (base, face_path(TYPED)):
        shutil.copy(face, fonts)
    compiler = typst.Compiler(folder / "letter.typ", font_paths=[fonts], ignore_system_fonts=True)
    family = names_of(base)

    def make(number: int) -> bytes:
        said = {"paragraphs": paragraphs_once, "address": [ADDRESS.name, *ADDRESS.lines], "number": number}
        return bytes(compiler.compile(format="pdf", sys_inputs={"said": json.dumps(said), "hand": family}))

    return make, 40


def names_of(face: Path) -> str:
    from fontTools.ttLib import TTFont

    with TTFont(face) as font:
        return str(font["name"].getBestFamilyName())


TYPST = """
#let said = json(bytes(sys.inputs.said))
#set page("us-letter", margin: 24mm)
#set text(font: "Vazirmatn", size: 10.5pt)
#for line in said.address [#line \\ ]
#v(30mm)
#set text(font: sys.inputs.hand, size: 16pt, fill: rgb("#1c2b57"))
#set par(leading: 9pt)
#for part in said.paragraphs [#part #parbreak()]
"""


def reportlab_maker() -> tuple[Make, int] | None:
    from reportlab.lib.pagesizes import LETTER
    from reportlab.lib.styles import ParagraphStyle
    from reportlab.lib.units import mm
    from reportlab.pdfbase import pdfmetrics
    from reportlab.pdfbase.ttfonts import TTFont
    from reportlab.pdfgen.canvas import Canvas
    from reportlab.platypus import Frame, Paragraph

    pdfmetrics.registerFont(TTFont("Hand", str(RECIPES[0].base)))
    pdfmetrics.registerFont(TTFont("Typed", str(face_path(TYPED))))
    hand = ParagraphStyle("hand", fontName="Hand", fontSize=SET_AT, leading=LINE_HEIGHT, spaceAfter=10)
    typed = ParagraphStyle("typed", fontName="Typed", fontSize=10.5, leading=13)

    def make(number: int) -> bytes:
        file = io.BytesIO()
        canvas = Canvas(file, pagesize=LETTER, pageCompression=1)
        lines = [Paragraph("<br/>".join([ADDRESS.name, *ADDRESS.lines]), typed)]
        Frame(20 * mm, 210 * mm, 80 * mm, 40 * mm).addFromList(lines, canvas)
        Frame(20 * mm, 20 * mm, 170 * mm, 180 * mm).addFromList(
            [Paragraph(part, hand) for part in paragraphs_once], canvas
        )
        canvas.drawString(20 * mm, 10 * mm, f"ANNI-{number:05}")
        canvas.save()
        return file.getvalue()

    return make, 20


def chromium_maker() -> tuple[Make, int] | None:
    browser_path = shutil.which("chromium") or shutil.which("google-chrome")
    if not browser_path:
        print("Chromium is not installed: NOT measured")
        return None
    from playwright.sync_api import sync_playwright

    playwright = sync_playwright().start()
    browser = playwright.chromium.launch(executable_path=browser_path, args=["--no-sandbox", "--disable-gpu"])
    page = browser.new_page()
    folder = Path(tempfile.mkdtemp())
    settings, pen = settings_for("Alder"), find_pens(Path("none"))["Alder"]
    environment = Environment(loader=FileSystemLoader(LAYOUTS), autoescape=select_autoescape())
    body = "".join(f"<p>{part}</p>" for part in paragraphs_once)

    def make(number: int) -> bytes:
        filled = values_for(settings, f"ANNI-{number:05}", body, pen)
        css = environment.get_template("letter.css").render(filled)
        for path in (face_path(TYPED), pen.path, pen.signs_with.path):
            css = css.replace(f"font:{path.name}", path.as_uri())
        html = environment.get_template("letter.html").render(filled).replace("</head>", f"<style>{css}</style></head>")
        (folder / "letter.html").write_text(html)
        page.goto((folder / "letter.html").as_uri())
        page.evaluate("document.fonts.ready")
        return bytes(page.pdf(prefer_css_page_size=True))

    return make, 6


def libreoffice_maker() -> tuple[Make, int] | None:
    soffice = shutil.which("soffice")
    if not soffice:
        print("LibreOffice is not installed: NOT measured")
        return None
    folder = Path(tempfile.mkdtemp())

    def make(number: int) -> bytes:
        said = "".join(f"<p>{part}</p>" for part in [ADDRESS.name, *ADDRESS.lines, *paragraphs_once])
        (folder / "letter.html").write_text(f"<html><body>{said}<p>ANNI-{number:05}</p></body></html>")
        subprocess.run(
            [soffice, f"-env:UserInstallation={(folder / 'profile').as_uri()}", "--headless", "--convert-to",
             "pdf:writer_web_pdf_Export", "--outdir", str(folder), str(folder / "letter.html")],
            capture_output=True, check=True,
        )  # fmt: skip
        return (folder / "letter.pdf").read_bytes()

    return make, 1


PEERS: dict[str, Callable[[], tuple[Make, int] | None]] = {
    "Typst, plain face": typst_maker,
    "ReportLab, plain face": reportlab_maker,
    "Chromium, the pen": chromium_maker,
    "LibreOffice, plain face": libreoffice_maker,
}


def memory() -> None:
    make = letter_maker("Alder")
    for number in range(20):
        make(number)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    began, sizes = time.perf_counter(), []
    for number in range(1000):
        sizes.append(len(make(number)))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"1,000 letters in {time.perf_counter() - began:.0f} s; {statistics.median(sizes):,.0f} bytes each; "
        f"{before:.0f} MB after 20 letters, {peak:.0f} MB at most"
    )


MEASURES = {
    "believable": believable, "identity": identity, "legible": legible, "extraction": extraction, "speed": speed,
    "memory": memory,
}  # fmt: skip
paragraphs_once = paragraphs()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("measure", choices=[*MEASURES, "all"])
    chosen = parser.parse_args().measure
    random.seed(1)
    for name, measure in MEASURES.items():
        if chosen in (name, "all"):
            print(f"{name}:")
            measure()
            sys.stdout.flush()


if __name__ == "__main__":
    main()
