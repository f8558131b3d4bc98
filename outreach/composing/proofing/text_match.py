"""Compares words as they were meant with words as they were read back from a page.

A line of two directions (“Dr. سارة حداد”) is read back in one of several orders, all of them right: its words stay
together, and they follow one another as written or as drawn, from either side; a sign may change sides.
"""

import re
import unicodedata
from collections.abc import Callable, Iterable
from functools import lru_cache
from itertools import groupby

# Arabic and Hebrew: PDFium turns the letters of a ligature round, so that within a word their order says nothing.
_RIGHT_TO_LEFT = re.compile("[\u0590-\u08ff]+")
# PDFium turns "4B" into "B4" in a line that it takes for one from right to left.
_WORD = re.compile("[\u0590-\u08ff]+|\\d+|[^\\W\\d\u0590-\u08ff]+")
Word = tuple[str, str]


def plain_words(said: str) -> str:
    """Words without regard to capitals, line ends, how an accent is encoded, or the order in a right-to-left word."""
    plain = " ".join(unicodedata.normalize("NFKC", said).casefold().split())
    return _RIGHT_TO_LEFT.sub(lambda word: "".join(sorted(word[0])), plain)


def squeeze(said: str) -> str:
    """The same without any spaces."""
    return plain_words(said).replace(" ", "")


def holds_line(said: str, line: str) -> bool:
    """Whether `line` stands in `said`, spaces aside, in any order in which a page gives two directions."""
    plain = plain_words(line)
    return bool(find_words(plain_words(said), plain)) if is_mixed(plain) else squeeze(line) in squeeze(said)


def holds_words(said: str, words: str) -> bool:
    """The same for words within a line, whose other words may come between the directions of these."""
    plain = plain_words(words)
    if not is_right_to_left(plain):
        return squeeze(words) in squeeze(said)
    text = plain_words(said)
    return all(find_words(text, run) for run in _runs(plain))


def take_out(said: str, lines: Iterable[str]) -> str:
    """The plain words of `said` without `lines`, the longest first, each as often as it is given."""
    rest = plain_words(said)
    for line in sorted(filter(None, map(plain_words, lines)), key=len, reverse=True):
        if not is_mixed(line):
            rest = rest.replace(line, " ", 1)
        elif spans := find_words(rest, line):
            rest = f"{rest[: spans[0][0]]} {rest[spans[0][1] :]}"
    return rest


def find_words(text: str, words: str) -> list[tuple[int, int]]:
    """Where `words` stand as whole words in `text`, in any order in which a page gives them; both are plain."""
    return [found.span() for found in _pattern(words).finditer(text)]


def is_mixed(words: str) -> bool:
    """Whether right-to-left letters stand in plain `words` beside anything but spaces."""
    return is_right_to_left(words) and bool(_RIGHT_TO_LEFT.sub("", words).strip())


def is_right_to_left(words: str) -> bool:
    """Whether there are right-to-left letters in `words`."""
    return bool(_RIGHT_TO_LEFT.search(words))


@lru_cache(maxsize=4096)
def _pattern(words: str) -> re.Pattern[str]:
    if not is_right_to_left(words):
        return re.compile(rf"(?<!\w){re.escape(words)}(?!\w)")
    orders = {r"[\W_]*".join(map(re.escape, order)) for order in _orders(_words_of(words))}
    # A full stop or a bracket changes sides with the word that it stands at.
    return re.compile(rf"[^\w\s]*(?<!\w)(?:{'|'.join(sorted(orders))})(?!\w)[^\w\s]*")


def _words_of(words: str) -> list[Word]:
    """Each word with its direction: "R" right to left, "L" left to right, "N" for numbers behind right to left."""
    directed: list[Word] = []
    for word in _WORD.findall(words):
        # A number keeps to Latin letters before it: https://unicode.org/reports/tr9/, rule W7.
        is_latin = not directed or directed[-1][0] == "L"
        directed.append(("R" if is_right_to_left(word) else "N" if word.isdigit() and not is_latin else "L", word))
    return directed


def _runs(words: str) -> list[str]:
    """The words of one direction that follow one another."""
    runs: list[list[Word]] = []
    for word in _words_of(words):
        if runs and (runs[-1][-1][0] == "R") == (word[0] == "R"):
            runs[-1].append(word)
        else:
            runs.append([word])
    return [" ".join(word for _, word in run) for run in runs]


def _orders(words: list[Word]) -> list[list[str]]:
    """The orders in which words may be read: as written, or as drawn in a line of either direction, from either side.

    In a line from left to right, each stretch of right-to-left words and their numbers is turned round; in one from
    right to left, all is, but for each stretch of Latin words and numbers (the same report, rule L2).
    """
    written = [word for _, word in words]
    from_left = _turn(words, lambda direction: direction != "L")
    from_right = _turn(words, lambda direction: direction != "R")[::-1]
    return [written, from_left, from_left[::-1], from_right, from_right[::-1]]


def _turn(words: list[Word], is_turned: Callable[[str], bool]) -> list[str]:
    """The words with each stretch of those that are turned the other way round."""
    drawn: list[str] = []
    for back, stretch in groupby(words, lambda word: is_turned(word[0])):
        some = [word for _, word in stretch]
        drawn += some[::-1] if back else some
    return drawn
