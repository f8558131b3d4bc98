"""Draws a letter's pages with the zones and a mark at each fault. Changes nothing."""

from collections.abc import Sequence

from PIL import Image, ImageDraw

from outreach.composing.paper.sizes import Zone
from outreach.composing.paper.windows import Zones, stock_of_size, zones_for
from outreach.composing.proofing.page_check import Fault
from outreach.composing.proofing.pdf_pages import as_png, draw_page, measure_pages

WIDTH, GAP = 900, 24
FAULT, WINDOW, FORBIDDEN, AROUND = "#c2182b", "#1c6b3a", "#b06a00", "#d9d9d6"
TEXT_SIZE, LINE = 17, 24


def draw_faults(pdf: bytes, provider: str, faults: Sequence[Fault]) -> bytes:
    """A PNG of every page, one below the other: windows green, keep-out zones brown, faults red with their number."""
    sizes = measure_pages(pdf)
    stock = stock_of_size(*sizes[0])
    zones = zones_for(provider, stock) if stock else None
    numbered = list(enumerate(faults, start=1))
    leaves = [
        _draw(pdf, page, WIDTH / size[0], zones, [each for each in numbered if each[1].page == page])
        for page, size in enumerate(sizes, start=1)
    ]
    sheet = Image.new("RGB", (WIDTH + 2 * GAP, sum(leaf.height + GAP for leaf in leaves) + GAP), AROUND)
    top = GAP
    for leaf in leaves:
        sheet.paste(leaf, (GAP, top))
        top += leaf.height + GAP
    return as_png(sheet, 128)


def _draw(pdf: bytes, page: int, scale: float, zones: Zones | None, faults: Sequence[tuple[int, Fault]]) -> Image.Image:
    """One page, `scale` pixels to the mm, with what is wrong on it said in lines below it."""
    leaf = draw_page(pdf, WIDTH, page)
    pen = ImageDraw.Draw(leaf)
    if zones:
        _draw_zones(pen, leaf, zones, page, scale)
    for number, fault in faults:
        _mark(pen, fault.box or Zone(0, 0, leaf.width / scale, leaf.height / scale), scale, number)
    lines = [part for number, fault in faults for part in _wrap(f"{number}  {fault.says}", leaf.width - 2 * GAP)]
    whole = Image.new("RGB", (leaf.width, leaf.height + (GAP + LINE * len(lines) if lines else 0)), AROUND)
    whole.paste(leaf, (0, 0))
    written = ImageDraw.Draw(whole)
    for at, line in enumerate(lines):
        written.text((GAP, leaf.height + GAP // 2 + at * LINE), line, fill=FAULT, font_size=TEXT_SIZE)
    return whole


def _draw_zones(pen: ImageDraw.ImageDraw, leaf: Image.Image, zones: Zones, page: int, scale: float) -> None:
    inset = zones.edge * scale
    pen.rectangle((inset, inset, leaf.width - inset, leaf.height - inset), outline=FORBIDDEN)
    if page == zones.page:
        for zone in (*zones.keep_out, *((zones.covered,) if zones.covered else ())):
            pen.rectangle(_pixels(zone, scale), outline=FORBIDDEN, width=2)
        for zone in zones.seen:
            pen.rectangle(_pixels(zone, scale), outline=WINDOW, width=2)


def _mark(pen: ImageDraw.ImageDraw, box: Zone, scale: float, number: int) -> None:
    left, top, right, bottom = _pixels(box, scale)
    left, top, right, bottom = left - 5, top - 5, right + 5, bottom + 5
    pen.rectangle((left, top, right, bottom), outline=FAULT, width=4)
    at = max(left, 0), max(top - 26, 0)
    pen.rectangle((*at, at[0] + 26, at[1] + 26), fill=FAULT)
    pen.text((at[0] + 13, at[1] + 13), str(number), fill="white", anchor="mm", font_size=TEXT_SIZE)


def _pixels(zone: Zone, scale: float) -> tuple[float, float, float, float]:
    right, bottom = zone.left + zone.width, zone.top + zone.height
    return zone.left * scale, zone.top * scale, right * scale, bottom * scale


def _wrap(said: str, wide: float) -> list[str]:
    """`said` in lines of no more than `wide` pixels."""
    ruler = ImageDraw.Draw(Image.new("RGB", (1, 1)))
    lines = [""]
    for word in said.split(" "):
        longer = f"{lines[-1]} {word}" if lines[-1] else word
        if ruler.textlength(longer, font_size=TEXT_SIZE) > wide:
            lines.append(f"    {word}")
        else:
            lines[-1] = longer
    return lines
