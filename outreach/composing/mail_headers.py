"""Writes the lines of an e-mail's head, and reads them: their form is RFC 5322's, letters beyond ASCII are RFC 2047's.

Python's own folding loses the quotes around a name such as “Zoë Smith, DDS” and so makes two recipients of one. No name
and no subject may go into a head in any other way than through here.
"""

import base64
import re
from collections.abc import Iterator
from email.errors import HeaderParseError
from email.header import decode_header, make_header
from email.utils import getaddresses
from itertools import groupby
from textwrap import wrap

from outreach.composing.templating.engine import UNWRITABLE
from outreach.errors import CannotWrite

END = "\r\n"
# RFC 5322, 2.1.1 asks for 78; a line that holds an encoded word has 76 at most (RFC 2047, 2), so every line has.
LONGEST_LINE = 76
# So many bytes, in base64 and the frame of an encoded word, are 72 characters; 64 fit behind “Subject: ”.
_BYTES_OF_A_NAME, _BYTES_OF_A_TEXT = 45, 39
LONGEST_PLAIN = 62
_SPACED = re.compile(r"^ | $|  ")


def write_unstructured(field: str, text: str) -> str:
    """The line of a field whose value is any text, such as the subject. Raises CannotWrite for control characters."""
    _require_writable(field, text)
    words = text.split(" ")
    # “=?” written as it stands would be read as the beginning of an encoded word.
    if not text.isascii() or "=?" in text or _SPACED.search(text) or max(map(len, words)) > LONGEST_PLAIN:
        words = list(_encoded_words(field, text, _BYTES_OF_A_TEXT))
    return _fold(field, words)


def write_mailbox(field: str, name: str, address: str) -> str:
    """The line of a field that names one person and their address, such as From and To.

    A name is never without its quotes: as it stands, or encoded as a whole. Letters beyond ASCII in the address stay
    (RFC 6532). Raises CannotWrite for control characters.
    """
    _require_writable(field, name)
    _require_writable(field, address)
    return _fold(field, [*_phrase(field, one_spaced(name)), f"<{address}>"])


def one_spaced(name: str) -> str:
    """The name with single spaces: readers of mail show it so, however many there were."""
    return " ".join(name.split())


def write_token(field: str, value: str) -> str:
    """The line of a field whose value can neither be folded nor encoded: an id, or a link. Raises CannotWrite."""
    _require_writable(field, value)
    if not value.isascii() or " " in value:
        raise CannotWrite(f"The header {field} would hold a space or a letter beyond ASCII; mend outreach.toml")
    # Readers such as Python's keep the space of a line that was folded, and a link is looked for behind the colon.
    return f"{field}: {value}{END}"


def read_mailboxes(value: str) -> list[tuple[str, str]]:
    """The names and addresses in a field as a reader of mail finds them, encoded words decoded."""
    return [(read_words(name), address) for name, address in getaddresses([_unfold(value)])]


def read_words(value: str) -> str:
    """The text of a field as it is shown, encoded words decoded; what cannot be decoded stays as it is."""
    try:
        return str(make_header(decode_header(_unfold(value))))
    except (HeaderParseError, LookupError, ValueError):
        return value


def _unfold(value: str) -> str:
    return re.sub(r"\r?\n(?=[ \t])", "", value)


def _phrase(field: str, name: str) -> list[str]:
    """The name as one encoded word where that holds it; else its words in quotes, and encoded, by turns.

    Between two encoded words Python before 3.12 reads a space too many, so they stand side by side only in need.
    """
    if not _is_plain(name) and len(name.encode("utf-8", "replace")) <= _BYTES_OF_A_NAME:
        return list(_encoded_words(field, name, _BYTES_OF_A_NAME))
    phrase: list[str] = []
    for is_plain, words in groupby(name.split(), _is_plain):
        run = " ".join(words)
        phrase += _quoted(run) if is_plain else _encoded_words(field, run, _BYTES_OF_A_NAME)
    return phrase


def _is_plain(word: str) -> bool:
    return word.isascii() and len(word) <= LONGEST_PLAIN and not re.search(r'=\?|["\\]', word)


def _quoted(words: str) -> Iterator[str]:
    """The words in quotes, in as many strings as it takes: a reader shows a space between two."""
    for line in wrap(words, LONGEST_PLAIN, break_long_words=False, break_on_hyphens=False):
        yield f'"{line}"'


def _encoded_words(field: str, text: str, most: int) -> Iterator[str]:
    """The text in encoded words, each of whole letters: a reader decodes them one by one (RFC 2047, 5)."""
    for piece in _pieces(field, text, most):
        yield f"=?utf-8?b?{base64.b64encode(piece.encode()).decode()}?="


def _pieces(field: str, text: str, most: int) -> Iterator[str]:
    """The text in pieces of at most `most` bytes, cut behind a space where there is one.

    Python before 3.12 reads a space between two encoded words of a name, and shows two spaces as one.
    """
    try:
        sizes = [len(letter.encode()) for letter in text]
    except UnicodeEncodeError:
        raise CannotWrite(f"The header {field} would hold half a letter; mend the customer data") from None
    start = 0
    while start < len(text):
        end, size = start, 0
        while end < len(text) and size + sizes[end] <= most:
            size, end = size + sizes[end], end + 1
        space = text.rfind(" ", start, end)
        if end < len(text) and space > start:
            end = space + 1
        yield text[start:end]
        start = end


def _fold(field: str, words: list[str]) -> str:
    """One field with its end, on as many lines as it takes; a single word that is too long stays whole."""
    lines = [f"{field}:"]
    for word in words:
        if len(lines[-1]) + 1 + len(word) > LONGEST_LINE:
            lines.append("")
        lines[-1] += f" {word}"
    return END.join(lines) + END


def _require_writable(field: str, value: str) -> None:
    if UNWRITABLE.search(value):
        what = f"The header {field} would hold a line break or an invisible control character"
        raise CannotWrite(f"{what}; mend the customer data or the template")
