"""Makes a cell of a CSV file that no spreadsheet runs as a formula.

Whoever writes a CSV file passes every cell through here.
"""

# What Excel, LibreOffice or Google Sheets takes for the start of a formula, also in full width.
_STARTS = tuple("=+-@|%\t\r\n\uff1d\uff0b\uff0d\uff20")
_UNSEEN = " \u00a0\ufeff\u200b"


def quote_cell(value: object) -> str:
    """The value as text, with `'` before it where a program could read it as a formula. NULs are dropped."""
    text = "" if value is None else str(value).replace("\0", "")
    return f"'{text}" if text.lstrip(_UNSEEN).startswith(_STARTS) else text
