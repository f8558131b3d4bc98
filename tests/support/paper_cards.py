"""A letterhead and cards, as templates choose them."""

from pathlib import Path

from outreach.settings import Settings

TREE = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 120 40">'
    '<rect x="0" y="0" width="120" height="40" fill="#0a7a3c"/></svg>'
)


def with_letterhead(settings: Settings, folder: Path, svg: str) -> Settings:
    (folder / "head.svg").write_text(svg, encoding="utf-8")
    business = settings.business.model_copy(update={"letterhead": folder / "head.svg"})
    return settings.model_copy(update={"business": business})


def on_card(settings: Settings, folder: Path, kind: str, paper: str) -> Settings:
    source = (settings.templates / f"letters/{kind}.en.html").read_text(encoding="utf-8")
    (folder / "letters").mkdir(exist_ok=True)
    first, *_ = source.split("<p>", 3)
    few = f"{{# paper: {paper} #}}\n{first}<p>Dear {{{{ greeting }}}},</p>\n<p>a year with us today. Thank you!</p>"
    (folder / f"letters/{kind}.en.html").write_text(few, encoding="utf-8")
    return settings.model_copy(update={"templates": folder})
