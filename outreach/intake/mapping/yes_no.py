"""How other programs write yes and no in a column, and the conditions of a mapping by which such a cell is read."""

from collections.abc import Iterable, Sequence

from outreach.intake.mapping.draft_parts import quote

# Yes and no of one way of writing; an empty no means that only the yes is written.
_PAIRS = (("yes", "no"), ("y", "n"), ("true", "false"), ("1", "0"), ("t", "f"), ("x", ""), ("ja", "nein"),
          ("oui", "non"), ("sí", "no"), ("si", "no"))  # fmt: skip
_WORDS = frozenset(word for pair in _PAIRS for word in pair if word)


def is_yes_no(values: Sequence[str]) -> bool:
    """Whether every value says yes or no; of no values at all nobody can say."""
    return bool(values) and all(value.casefold() in _WORDS for value in values)


def spell_yes_no(values: Sequence[str]) -> tuple[list[str], list[str]]:
    """The spellings of yes and of no that a column with these values may have; without values, all of them.

    A draft sees the beginning of a file only, so the other word of a pair, and other capitals, are among them.
    """
    seen = {value.casefold() for value in values}
    pairs = [pair for pair in _PAIRS if pair[0] in seen]
    # “No” alone belongs to several pairs; the first stands for it.
    for word in sorted(seen - {word for pair in pairs for word in pair}):
        pairs += [pair for pair in _PAIRS if pair[1] == word][:1]
    pairs = pairs if values else list(_PAIRS)
    return _spell(yes for yes, _ in pairs), _spell(no for _, no in pairs if no)


def _spell(words: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(each for word in words for each in (word.capitalize(), word, word.upper())))


def write_yes(column: str, values: Sequence[str]) -> str:
    """The condition under which a cell says yes, or has a day or a reason where the column has those."""
    return _write_condition(column, values, wants_yes=True)


def write_no(column: str, values: Sequence[str]) -> str:
    """The condition under which it does not."""
    return _write_condition(column, values, wants_yes=False)


def _write_condition(column: str, values: Sequence[str], wants_yes: bool) -> str:
    yes, no = spell_yes_no(values)
    if is_yes_no(values):
        said = f"{'is' if wants_yes else 'is_not'} = {write_list(yes)}"
    elif values and not _WORDS & {value.casefold() for value in values}:
        said = f"is_empty = {'false' if wants_yes else 'true'}"
    else:
        said = f"{'is_not' if wants_yes else 'is'} = {write_list(['', *no])}"
    return f"{{ column = {quote(column)}, {said} }}"


def write_list(words: Sequence[str]) -> str:
    """The words as a list of a mapping."""
    return f"[{', '.join(map(quote, words))}]"
