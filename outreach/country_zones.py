"""The time zones of each country, as the tz database lists them. It knows of no regions and of no people."""

from functools import cache
from importlib.resources import files


@cache
def zones_by_country() -> dict[str, tuple[str, ...]]:
    """The zones of every country by its two letters, that of most people first."""
    table: dict[str, tuple[str, ...]] = {}
    # zone.tab, since zone1970.tab has one zone for all countries whose clocks have agreed since 1970; and that of the
    # package, since a machine may have none.
    for line in files("tzdata").joinpath("zoneinfo", "zone.tab").read_text(encoding="utf-8").splitlines():
        if not line.startswith("#"):
            country, _, zone = line.split("\t")[:3]
            table[country] = (*table.get(country, ()), zone)
    return table
