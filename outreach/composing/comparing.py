"""Words as they were meant, or as they were read back from a page, in; what is alike of both out, to be compared."""

import re
import unicodedata

# Arabic and Hebrew: PDFium turns the letters of a ligature round, so that within a word their order says nothing.
_RIGHT_TO_LEFT = re.compile("[\u0590-\u08ff]+")


def plain_words(said: str) -> str:
    """Words without regard to capitals, line ends, how an accent is encoded, or the order in a right-to-left word."""
    plain = " ".join(unicodedata.normalize("NFKC", said).casefold().split())
    return _RIGHT_TO_LEFT.sub(lambda word: "".join(sorted(word[0])), plain)


def squeeze(said: str) -> str:
    """The same without any spaces."""
    return plain_words(said).replace(" ", "")
