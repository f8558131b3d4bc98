"""What may stand in a name field beside a given or a family name: titles, degrees, legal forms, the other name.

Only legal forms tell a company: a word for a trade ("Dental", "Baker") may be a surname too.
"""

import re

# Nobody's name, in whatever case and wherever in the field.
_SURE = re.compile(
    r"(?<![\w.])(?:l\.?l\.?c|p\.?l\.?l\.?c|l\.?l\.?p|inc|incorporated|corp|co-op|co-?operative|ltd|ltda|lt[ée]e|p\.?l\.?c|pty|g?gmbh|mbh"
    r"|kgaa|srl|eurl|kft|zrt|nyrt|oyj|eireli|ооо|оао|пао|зао|тоо|ش\.\s?م\.\s?م|ذ\.\s?م\.\s?م|בע[\"״”]מ)(?!\w)"
    r"|株式会社|有限会社|合同会社|有限公司|유한회사|주식회사",
    re.IGNORECASE,
)
# These are initials ("S.L. Jackson") or names ("Sa", "Ag", "Aps") too: a legal form only as registers write it, at the
# end, and behind a word that begins with a capital and is not in capitals itself.
_AT_THE_END = re.compile(
    r"(?<![\w’'])(?![A-Z]+\b)[^\W_a-z][\w’']*[,.]?\s+(?:&\s+Co\.?\s+)?(?:AG|KG|UG|OHG|GbR|SE|SA|SAS|SARL|SNC|SCI|SpA|SL|SLU|BV|NV|VOF|AB|HB"
    r"|AS|ASA|ApS|A/S|Oy|LP|PC|PA|Lda|Limited|S\.A\.|S\.L\.|S\.L\.U\.|S\.A\.S\.|S\.A\.R\.L\.|S\.[rR]\.[lL]\.|S\.[pP]\.A\."
    r"|S\.A\. de C\.V\.|B\.V\.|N\.V\.|V\.O\.F\.|Lda\.|a\.\s?s\.|s\.\s?r\.\s?o\.|d\.\s?o\.\s?o\.|[Ss]p\. ?z ?o\. ?o\."
    r"|e\.\s?V\.|e\.\s?K\.|e\.\s?U\.|P\.C\.|P\.A\.)$|\w\s*&\s*Co\.?$"
)

# Each stands apart from the next word: "Dr. Ruth" and "Prof. Dr. Ruth", never "Drew".
_TITLE = (
    r"(?:mr|mrs|ms|mx|miss|dr|prof|professor|doctor|rev|reverend|herrn?|frau|dipl\.-ing|mag(?=\.)|mme|mlle|madame"
    r"|monsieur|sra|srta|señora?|señorita|dra|profa|dott|dott\.ssa|prof\.ssa|sig\.ra|sig\.na|dhr|mevr|mevrouw)"
)
_TITLES = re.compile(rf"(?:{_TITLE}(?:\.\s*|\s+))+(?=[^\W\d_])", re.IGNORECASE)
_SEVERAL = re.compile(r"[&+/]|\b(?:and|und|et|y|en)\b", re.IGNORECASE)

# “Kiln & Daughters” and “J & K Dunn” are no one person, and which word of them is a given name nobody can tell.
_SEVERAL_BEARERS = re.compile(r"[&+/]")

# As their bearers write them: "Ma" and "Do" are surnames.
_DEGREES = re.compile(
    r"\w[\s,]+(?:D\.?D\.?S|D\.?M\.?D|M\.?D|Ph\.?\s?D|J\.?D|Esq|R\.?N|D\.?V\.?M|M\.?B\.?A|C\.?P\.?A|M\.?Sc|B\.?Sc|MBBS|PharmD"
    r"|PsyD|EdD|DPT|LCSW)\.?(?=$|[\s,;)])"
)


def is_company(name: str) -> bool:
    """Whether a legal form tells that the name is a company's, such as “Ann’s Dental, LLC”."""
    return bool(_SURE.search(name) or _AT_THE_END.search(name))


def split_titles(given: str) -> tuple[str, str]:
    """The titles at the front of one person's given name, and the name behind them."""
    titles = _TITLES.match(given)
    if titles is None or _SEVERAL.search(given):
        return "", given
    return titles[0].strip(), given[titles.end() :].strip()


def split_name(whole: str) -> tuple[str, str]:
    """The given and the family name in a whole one: `Dunn, Cora` and `Cora Dunn` alike; a company has no given name."""
    family, comma, given = whole.partition(",")
    if is_company(whole) or whole.count(",") > 1 or _SEVERAL_BEARERS.search(whole):
        return "", whole
    if comma:
        return given.strip(), family.strip()
    titles, name = split_titles(whole)
    first, _, rest = name.partition(" ")
    return (f"{titles} {first}".strip(), rest.strip()) if rest else ("", whole)


def has_degree(name: str) -> bool:
    """Whether a degree or a profession follows the name, such as “Green, DDS”."""
    return bool(_DEGREES.search(name))
