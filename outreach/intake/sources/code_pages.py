"""Finds the 8-bit page that a file's words were written in: the one that makes them look most like people's names.

The pages share most bytes, so "Dvořák" may come out as "Dvoøák". Letters are weighed by how often a language has them
beside such neighbours, and signs inside words count against a page. Where two pages fit nearly alike there is none.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from functools import cache, lru_cache
from math import exp, log

from outreach.intake.sources.language_words import WORDS

WESTERN = "cp1252"
# How much a page's words must look better than others' before it is believed, in nats: the rarer, the more.
PAGES = {
    WESTERN: 0.0, "cp1250": 2.0, "cp1257": 2.0, "cp1254": 2.0, "mac_roman": 2.0, "iso8859_2": 5.0, "mac_latin2": 5.0,
    "cp850": 5.0, "cp852": 5.0, "mac_croatian": 7.0, "mac_turkish": 7.0, "iso8859_4": 7.0,
    "cp1251": 2.0, "koi8_r": 5.0, "cp866": 5.0, "iso8859_5": 7.0, "mac_cyrillic": 7.0, "cp1253": 2.0, "iso8859_7": 7.0,
    "cp1255": 2.0, "cp1256": 2.0,
}  # fmt: skip
# By so much a page must lead before all others that read the words differently; less does for the most usual one.
CLEAR_LEAD, WESTERN_LEAD = 5.0, 1.0
DISTINCT_WORDS = 1000
# Rounds in which it is found out which languages the words of one file are in.
ROUNDS = 4
# No language is ruled out: of so many words each has one more.
LEAST_SHARE = 0.01
UNDECODABLE_COST, SIGN_COST, CASE_COST, AROUND_COST, APOSTROPHE_COST = -15.0, -8.0, -5.0, -4.5, -1.5
UNSEEN = 0.02
_VOWELS = frozenset("aeiouyáàâäãåāąæéèêëēėęěíìîïīįıóòôöõøőúùûüūůűųýÿăœаеёиоуыэюяіїєαεηιουωάέήίόύώϊϋΐΰ")
_BEFORE_WORDS, _AFTER_WORDS = "“‘„‚«‹¿¡–—…\xa0\xad", "”’“»›–—…ªº°®©™´\xa0\xad"
_APOSTROPHES = "’‘´'"
# Where an elision ends (O’Brien, D’Angelo, Dell’Orto) and what may follow a whole word.
_BEFORE_APOSTROPHE = frozenset("o d l m n s t c j k al da de el ka dell dall sant nell all mc qu un".split())
_AFTER_APOSTROPHE = frozenset("s t re ll".split())


def weigh_pages(words: Iterable[bytes]) -> dict[str, float]:
    """For each page, how much the words look like names when it is used to read them: logarithms of likelihoods."""
    # A name that comes a thousand times is one piece of evidence, not a thousand.
    distinct = [word for word, _ in Counter(words).most_common(DISTINCT_WORDS)]
    return {page: _weigh([read_word(word, page) for word in distinct]) - cost for page, cost in PAGES.items()}


def read_word(word: bytes, page: str) -> str:
    return word.decode(page, "replace")


def choose_likely(scores: Mapping[str, float]) -> list[str]:
    """The page, or those that read the words about alike well: more than one where the words do not tell them apart."""
    best = max(scores.values())
    if scores[WESTERN] - max(score for page, score in scores.items() if page != WESTERN) >= WESTERN_LEAD:
        return [WESTERN]
    return [page for page in PAGES if best - scores[page] < CLEAR_LEAD]


def _weigh(texts: Sequence[str]) -> float:
    """The logarithm of how likely the words are, in the mixture of languages in which they are likeliest."""
    likelihoods = [each for text in texts if (each := _likelihoods(text))]
    # Each word beside its own likeliest language: the likelihoods of a long one are too small for a number.
    likeliest = [max(row) for row in likelihoods]
    rows = [[exp(each - most) for each in row] for row, most in zip(likelihoods, likeliest, strict=True)]
    shares = [1 / len(WORDS)] * len(WORDS)
    for _ in range(ROUNDS if rows else 0):
        gained = [LEAST_SHARE] * len(WORDS)
        for row in rows:
            weights = [share * each for share, each in zip(shares, row, strict=True)]
            total = sum(weights)
            gained = [kept + weight / total for kept, weight in zip(gained, weights, strict=True)]
        shares = [each / sum(gained) for each in gained]
    mixed = sum(log(sum(share * each for share, each in zip(shares, row, strict=True))) for row in rows)
    return sum(_cost_of(text) for text in texts) + sum(likeliest) + mixed


@lru_cache(maxsize=1 << 15)
def _cost_of(text: str) -> float:
    """What signs inside the word, and letters in an odd case, say against it."""
    signs = sum(_cost_of_sign(text, at) for at, letter in enumerate(text) if not letter.isascii())
    odd = sum(_is_odd_case(text, at) for at, letter in enumerate(text) if _is_foreign(letter))
    return signs + CASE_COST * odd


@lru_cache(maxsize=1 << 15)
def _likelihoods(text: str) -> tuple[float, ...]:
    """The word's foreign letters in each language; none where it has none."""
    lower = text.lower()
    foreign = [at for at, letter in enumerate(lower) if _is_foreign(letter)]
    around = [(lower[at], _class_of(lower, at - 1), _class_of(lower, at + 1)) for at in foreign]
    return tuple(sum(language.likelihood(*each) for each in around) for language in _languages()) if around else ()


def _is_foreign(letter: str) -> bool:
    return not letter.isascii() and letter.isalpha() and letter not in "ªº"


def _cost_of_sign(text: str, at: int) -> float:
    letter = text[at]
    if letter == "\ufffd":
        return UNDECODABLE_COST
    if _is_foreign(letter):
        return 0.0
    before, after = text[:at], text[at + 1 :]
    if letter in _APOSTROPHES and before and after:
        is_usual = before.lower() in _BEFORE_APOSTROPHE or after.lower() in _AFTER_APOSTROPHE
        return APOSTROPHE_COST if is_usual else SIGN_COST
    is_around = (not before and letter in _BEFORE_WORDS) or (not after and letter in _AFTER_WORDS)
    return AROUND_COST if is_around else SIGN_COST


def _is_odd_case(text: str, at: int) -> bool:
    """A capital behind a small letter, or a small letter among capitals."""
    letter, before = text[at], text[at - 1 : at] if at else ""
    if letter.isupper():
        return before.islower()
    others = text[:at] + text[at + 1 :]
    return letter != "ß" and len(others) > 2 and others.isupper()


def _class_of(text: str, at: int) -> str:
    letter = text[at : at + 1] if at >= 0 else ""
    if not letter or not letter.isalpha():
        return "edge"
    return "vowel" if letter in _VOWELS else "consonant"


class Language:
    """What is known of one language's letters: how often each stands, and beside what."""

    def __init__(self, words: Iterable[str]) -> None:
        self._letters: Counter[str] = Counter()
        self._before: dict[str, Counter[str]] = defaultdict(Counter)
        self._after: dict[str, Counter[str]] = defaultdict(Counter)
        for word in words:
            text = word.lower()
            for at, letter in enumerate(text):
                if _is_foreign(letter):
                    self._letters[letter] += 1
                    self._before[letter][_class_of(text, at - 1)] += 1
                    self._after[letter][_class_of(text, at + 1)] += 1
        self._total = self._letters.total()

    def likelihood(self, letter: str, before: str, after: str) -> float:
        """The logarithm of how likely the letter is between such neighbours."""
        own = log((self._letters[letter] + UNSEEN) / (self._total + 1))
        return own + _share(self._before[letter], before) + _share(self._after[letter], after)


def _share(counts: Counter[str], name: str) -> float:
    return log((counts[name] + 0.3) / (counts.total() + 0.9))


@cache
def _languages() -> tuple[Language, ...]:
    return tuple(Language(words.split()) for words in WORDS.values())
