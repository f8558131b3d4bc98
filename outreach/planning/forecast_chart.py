"""Counts the touches and the cost of a forecast by moment and week, and draws them as a picture for any browser.

The picture is plain SVG. Its shades differ in lightness and stand in one order, so that it reads in black and white.
"""

from collections import Counter
from dataclasses import dataclass, field
from datetime import date, timedelta
from xml.sax.saxutils import escape

from outreach.moments import MOMENTS
from outreach.planning.forecast import Forecast

WEEK = timedelta(days=7)
# One shade and one slant for each moment in the registry's order, so that a moment looks the same in every picture.
SHADES: tuple[str, ...] = ("#1f3a5f", "#5b8db8", "#a9c7e0", "#2e5e4e", "#77b39a", "#bfe0d0", "#7a3b2e")
SHADES += ("#c4785f", "#ecc4b4", "#5a4a78", "#9b8bbd", "#d3c9e6", "#6b6b3a", "#bdbd7a")
LEFT, TOP, HEIGHT, BAR, GAP, LINE = 46, 44, 220, 16, 4, 18


@dataclass(frozen=True)
class Weeks:
    """The touches of a forecast by week, for the day on which each leaves."""

    mondays: list[date]
    #: By (moment, the Monday of its week).
    counts: Counter[tuple[str, date]] = field(default_factory=Counter)
    #: By moment, in minor units.
    costs: Counter[str] = field(default_factory=Counter)

    @property
    def moments(self) -> list[str]:
        """Those that have any, in the order in which moments come first."""
        present = {moment for moment, _ in self.counts}
        return [moment for moment in MOMENTS if moment in present]

    def total(self, moment: str) -> int:
        return sum(self.counts[moment, monday] for monday in self.mondays)

    def of_week(self, monday: date) -> int:
        return sum(self.counts[moment, monday] for moment in self.moments)


def count_weeks(seen: Forecast) -> Weeks:
    """Every week from the first day to the last that anything leaves, also those in which nothing does."""
    last = max((message.send_on for message in seen.messages), default=seen.last)
    first = monday_of(seen.first)
    weeks = Weeks([first + WEEK * number for number in range((max(last, seen.last) - first).days // 7 + 1)])
    for message in seen.messages:
        weeks.counts[message.moment, monday_of(message.send_on)] += 1
        weeks.costs[message.moment] += message.cost
    return weeks


def monday_of(day: date) -> date:
    return day - timedelta(days=day.weekday())


def draw_weeks(weeks: Weeks, title: str) -> str:
    """An SVG of stacked bars, a bar a week, with an axis, a legend, and a title and description for screen readers."""
    tallest = max((weeks.of_week(monday) for monday in weeks.mondays), default=0)
    step = nice_step(tallest)
    # At least one step high, or a forecast in which nothing leaves would divide by zero.
    scale = HEIGHT / (step * -(-max(tallest, 1) // step))
    width = max(LEFT + len(weeks.mondays) * (BAR + GAP) + 20, 420)
    height = TOP + HEIGHT + 46 + LINE * len(weeks.moments)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img" '
        f'aria-labelledby="weeks-title weeks-text" font-family="sans-serif" font-size="12">',
        f'<title id="weeks-title">{escape(title)}</title>',
        f'<desc id="weeks-text">{escape(describe(weeks))}</desc>',
        f'<rect width="{width}" height="{height}" fill="#fff"/>',
        f'<text x="{LEFT}" y="20" font-size="14" font-weight="bold">{escape(title)}</text>',
        *_axis(width, step, scale),
        *(part for place, monday in enumerate(weeks.mondays) for part in _bar(weeks, monday, place, scale)),
        *_legend(weeks),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def describe(weeks: Weeks) -> str:
    """What the picture shows, in a sentence."""
    totals = ", ".join(f"{weeks.total(moment)} {moment.replace('_', ' ')}" for moment in weeks.moments)
    return f"Touches per week over {len(weeks.mondays)} weeks: {totals or 'none'}."


def nice_step(tallest: int) -> int:
    """1, 2 or 5 times a power of ten, so that the axis has at most six lines."""
    power = 1
    while True:
        for factor in (1, 2, 5):
            if tallest <= 6 * factor * power:
                return factor * power
        power *= 10


def _axis(width: int, step: int, scale: float) -> list[str]:
    parts = []
    for number in range(0, int(HEIGHT / scale) + 1, step):
        y = TOP + HEIGHT - number * scale
        parts.append(f'<line x1="{LEFT}" x2="{width - 10}" y1="{y:.1f}" y2="{y:.1f}" stroke="#ccc"/>')
        parts.append(f'<text x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{number}</text>')
    return parts


def _bar(weeks: Weeks, monday: date, place: int, scale: float) -> list[str]:
    x, y = LEFT + 4 + place * (BAR + GAP), TOP + float(HEIGHT)
    parts = []
    for moment in weeks.moments:
        number = weeks.counts[moment, monday]
        if number:
            y -= number * scale
            label = escape(f"{number} {moment.replace('_', ' ')}, week of {monday}")
            parts.append(
                f'<rect x="{x}" y="{y:.1f}" width="{BAR}" height="{number * scale:.1f}" fill="{shade_of(moment)}" '
                f'stroke="#fff" stroke-width="0.5"><title>{label}</title></rect>'
            )
    is_first_of_month = monday.day <= WEEK.days
    if is_first_of_month:
        parts.append(f'<text x="{x}" y="{TOP + HEIGHT + 16}">{monday:%b %Y}</text>' if _has_room(weeks, place) else "")
    return parts


def _has_room(weeks: Weeks, place: int) -> bool:
    """Month names stand four weeks apart at least, which is as wide as one is."""
    return not any(monday.day <= WEEK.days for monday in weeks.mondays[max(0, place - 3) : place])


def _legend(weeks: Weeks) -> list[str]:
    parts = []
    for line, moment in enumerate(weeks.moments):
        y = TOP + HEIGHT + 34 + line * LINE
        parts.append(f'<rect x="{LEFT}" y="{y}" width="12" height="12" fill="{shade_of(moment)}"/>')
        parts.append(f'<text x="{LEFT + 18}" y="{y + 10}">{moment.replace("_", " ")}: {weeks.total(moment)}</text>')
    return parts


def shade_of(moment: str) -> str:
    return SHADES[list(MOMENTS).index(moment) % len(SHADES)]
