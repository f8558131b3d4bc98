"""Makes a pen out of what a person wrote on a form, with their own letters, and a second one that signs as they do.

A letter that was not written well enough is left out and named; nothing is drawn in its place.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from statistics import median

import numpy as np

from outreach.composing.handwriting.font.compiler import PAIR_FORMS, Measures, Named, compile_forms, forms_of
from outreach.composing.handwriting.font.letterforms import LATIN, Alphabet, Outline
from outreach.composing.handwriting.font.pairs import PAIRS
from outreach.composing.handwriting.font.variation import Habit, vary
from outreach.composing.handwriting.own_hand.form import ACCENTS, TAKES
from outreach.composing.handwriting.own_hand.likeness import require_one_hand
from outreach.composing.handwriting.own_hand.samples import EMPTY, Take, choose_takes, cut_page
from outreach.composing.handwriting.own_hand.scans import ScannedPage
from outreach.composing.handwriting.own_hand.spacing import LEVEL, Spacing, measure_spacing
from outreach.composing.handwriting.pens import SET_AT, SIGNATURE, SIGNATURE_FORMS, SIGNED_LARGER, keep_pen
from outreach.errors import ScanUnreadable

EM, X_HEIGHT, ASCENT, DESCENT = 1000, 460.0, 950, -420
POINT = 25.4 / 72
# What a person wrote several times already varies as they do, so further forms keep near to these: the nearer, the more
# evenly the person writes. The first is for one who writes like a machine, the second for one as uneven as most.
GENTLY = Habit(
    turn=0.9, lean=0.014, growth=0.014, width=0.010, rise=0.006, waver=0.007, pressure=0.0009, thinner=0.0, stride=0.006
)
FREELY = replace(GENTLY, turn=1.6, lean=0.035, growth=0.065, width=0.075, rise=0.010, waver=0.015, stride=0.010)
STEADY = replace(GENTLY, turn=0.5, growth=0.012, waver=0.012)
# The coefficient of variation of the height of most people's letters: six real pages have 12 %.
UNEVEN = 0.12
# A person writes these alike, and the form asks for one of them.
ALIKE = {"'": "’", "‘": "’", '"': "”", "—": "–"}
# Written alone, an accent comes out larger than above a letter: at most so much of an x it may be.
LARGEST_ACCENT = 0.6
# A pair is written as one where it was written so often, and is so wide beside its two letters.
FEWEST_PAIRS, NARROWEST_PAIR, WIDEST_PAIR = 2, 0.65, 1.5
# Millimetres a signature may take under a letter.
SIGNED_WIDTH, SIGNED_HEIGHT = 70.0, 15.0

# A letter keeps its own distance from the line, as people write; but in a box nobody minds the letter before it, so it
# is never farther off than this share of an x.
FARTHEST = 0.12


@dataclass(frozen=True)
class OwnHand:
    """What was learned of a hand."""

    #: The font of the letters.
    pen: bytes
    #: The font of the signature, where the name can be signed.
    signature: bytes | None
    #: The forms in the pen, by character.
    forms: dict[str, list[Outline]]
    signatures: list[Outline]
    #: What was written into each box.
    takes: list[Take]
    #: The forms of pairs that are written as one, by pair.
    pairs: dict[str, list[Outline]]
    #: What is wrong with some of the boxes of a character or pair.
    again: dict[str, str]
    #: Why there is no signature; empty where there is one.
    unsigned: str
    #: Font units to the millimetre on the form.
    units: float

    @property
    def lost(self) -> list[str]:
        """The characters of which no box can be used."""
        good = {take.box.words for take in self.takes if take.is_good}
        return [character for character in self.again if character not in good and character not in PAIRS]

    @property
    def apart(self) -> list[str]:
        """The pairs that are written letter by letter."""
        return [pair for pair in PAIRS if pair not in self.pairs]

    @property
    def missing(self) -> str:
        """The letters of European languages that this pen cannot write."""
        return "".join(character for character in LATIN if character not in self.forms)


def learn_hand(
    name: str, pages: Sequence[ScannedPage], signs: str, seed: int = 1, is_one_person: bool = False
) -> OwnHand:
    """The hand on these pages as the pen `name`; its signature stands for the name `signs` and for no other.

    Raises ScanUnreadable where not even the small letters can be read, and where the pages look as if two persons wrote
    them, unless they are said to be one person's.
    """
    read = [cut_page(page) for page in pages]
    if not is_one_person:
        require_one_hand([page.source for page in pages], read)
    takes = choose_takes(read)
    if all(take.complaint == EMPTY for take in takes):
        raise ScanUnreadable("Nothing is written on these pages; fill in the form with a dark pen, then scan it again")
    written = _by_character(takes)
    spacing = measure_spacing(written, [take for take in takes if take.box.kind == "word" and take.is_good])
    if spacing is None:
        raise ScanUnreadable(
            "Hardly any small letter can be read on these pages; write the form again, larger and darker"
        )
    units = X_HEIGHT / spacing.x_height
    own = {character: _settle(group, spacing, units) for character, group in written.items()}
    bases, habit = _complete(own), _habit_of(own)
    pairs = {pair: _forms(pair, own[pair], habit, seed) for pair in PAIRS if _is_pair(pair, own)}
    forms = {character: _forms(character, bases[character], habit, seed) for character in bases}
    forms[" "] = _spaces(spacing, units, seed)
    forms["\u00a0"] = forms[" "]
    measures = Measures(EM, ASCENT, DESCENT, X_HEIGHT)
    signed = [take for take in takes if take.box.kind == "signature"]
    signatures = _signatures([take for take in signed if take.is_good], seed)
    unsigned = _why_unsigned(signs, signed, forms)
    # What stands beside a name, such as a title, needs few forms.
    few = {character: drawn[:TAKES] for character, drawn in forms.items()}
    named = _named(name + SIGNATURE)
    signature = None if unsigned else compile_forms(few, measures, named, seed, signatures={signs: signatures})
    pen = compile_forms(forms, measures, _named(name), seed, signatures=pairs)
    return OwnHand(pen, signature, forms, signatures, takes, pairs, _again(takes), unsigned, units)


def keep_hand(hand: OwnHand, name: str, folder: Path) -> Path:
    """The file of the pen in `folder`, its signature beside it; what was there under its name is replaced."""
    path = keep_pen(name, hand.pen, folder)
    if hand.signature is None:
        (folder / f"{name}{SIGNATURE}.ttf").unlink(missing_ok=True)
    else:
        keep_pen(name + SIGNATURE, hand.signature, folder)
    return path


def _why_unsigned(signs: str, signed: Sequence[Take], forms: Mapping[str, Sequence[Outline]]) -> str:
    """Why a name cannot be signed with what stands in the boxes for the signature; nothing where it can."""
    if not any(take.is_good for take in signed):
        wrong = ", ".join(dict.fromkeys(take.complaint for take in signed))
        return f"none of the {len(signed)} boxes for the signature can be used: {wrong}"
    if lacking := "".join(letter for letter in dict.fromkeys(signs) if letter not in forms):
        return f"the pen cannot write {lacking}"
    return ""


def _named(name: str) -> Named:
    return Named(
        name, "The handwriting of the person who wrote it", "For letters signed by that person and nothing else"
    )


def _by_character(takes: Sequence[Take]) -> dict[str, list[Take]]:
    written: dict[str, list[Take]] = {}
    for take in takes:
        if take.is_character and take.is_good:
            written.setdefault(take.box.words, []).append(take)
    return written


def _again(takes: Sequence[Take]) -> dict[str, str]:
    """Each character or pair of which a box cannot be used, with what is wrong."""
    again = {take.box.words: "" for take in takes if take.is_character and take.complaint}
    for character in again:
        boxes = [take.complaint for take in takes if take.is_character and take.box.words == character]
        again[character] = ", ".join(
            f"{complaint} ({boxes.count(complaint)} of {len(boxes)})" for complaint in dict.fromkeys(boxes) if complaint
        )
    return again


def _is_pair(pair: str, own: Mapping[str, Sequence[Outline]]) -> bool:
    """Whether a pair was written several times, with room for both its letters: else one of them would be lost."""
    if len(own.get(pair, ())) < FEWEST_PAIRS or not set(pair) <= own.keys():
        return False
    alone = sum(median(form.advance for form in own[letter]) for letter in pair)
    low, high = NARROWEST_PAIR * alone, WIDEST_PAIR * alone
    return low < median(form.advance for form in own[pair]) < high


def _settle(group: Sequence[Take], spacing: Spacing, units: float) -> list[Outline]:
    """A letter's takes in font units, those far off the line brought nearer to where it was for all of them."""
    outlines = [take.outline for take in group if take.outline is not None]
    low = median(outline.box[1] for outline in outlines)
    far = FARTHEST * spacing.x_height
    strays = [outline.box[1] - low for outline in outlines]
    return [
        _in_units(outline.moved(0, min(max(stray, -far), far) - stray - spacing.line), spacing, units)
        for outline, stray in zip(outlines, strays, strict=True)
    ]


def _habit_of(own: Mapping[str, Sequence[Outline]]) -> Habit:
    """How much further forms vary: as the person's letters do, by how unlike in height those of one letter are."""
    heights = [
        np.log([outline.box[3] - outline.box[1] for outline in own[letter]]) for letter in LEVEL if letter in own
    ]
    spreads = [float(np.var(each, ddof=1)) for each in heights if len(each) >= TAKES]
    share = min(math.sqrt(float(np.mean(spreads))) / UNEVEN, 1.0) if spreads else 0.0
    mixed = {
        each.name: (1 - share) * getattr(GENTLY, each.name) + share * getattr(FREELY, each.name)
        for each in fields(Habit)
    }
    return Habit(**mixed)


def _in_units(outline: Outline, spacing: Spacing, units: float) -> Outline:
    """One outline with half of the hand's gap before and after the part of it that stands between the lines."""
    left, right = spacing.body(outline)
    moved = outline.moved(spacing.gap / 2 - left, 0)
    return replace(moved, points=moved.points * units, advance=(right - left + spacing.gap) * units)


def _complete(own: dict[str, list[Outline]]) -> dict[str, list[Outline]]:
    """The forms of every character that was written, or that can be put together from what was: one for each take."""
    alphabets = [Alphabet(_take_of(own, take), EM) for take in range(TAKES)]
    by_take = {character: [alphabet.find(character) for alphabet in alphabets] for character in LATIN}
    if "." in own:
        by_take["…"] = [_three(_take_of(own, take)(".")) for take in range(TAKES)]
    whole = {character: [one for one in forms if one is not None] for character, forms in by_take.items()}
    # A letter written once gives the same three times over.
    return {character: own.get(ALIKE.get(character, character)) or forms for character, forms in whole.items() if forms}


def _three(stop: Outline | None) -> Outline | None:
    """Three full stops in a row."""
    if stop is None:
        return None
    row = stop.joined(stop.moved(stop.advance, 0)).joined(stop.moved(2 * stop.advance, 0))
    return replace(row, advance=3 * stop.advance)


def _take_of(own: dict[str, list[Outline]], take: int) -> Callable[[str], Outline | None]:
    """The hand's own letters as they were written for the `take`th time, accents made as small as above a letter."""

    def find(character: str) -> Outline | None:
        forms = own.get(ALIKE.get(character, character))
        if not forms:
            return None
        return _smaller(forms[take % len(forms)]) if character in ACCENTS else forms[take % len(forms)]

    return find


def _smaller(accent: Outline) -> Outline:
    left, bottom, right, top = accent.box
    scale = min(1.0, LARGEST_ACCENT * X_HEIGHT / max(right - left, top - bottom))
    return replace(accent, points=accent.points * scale)


def _forms(character: str, bases: Sequence[Outline], habit: Habit, seed: int) -> list[Outline]:
    """First each as it was written, then as many again as a pen has, each near to one that was."""
    count = max(PAIR_FORMS if character in PAIRS else forms_of(character), len(bases))
    # Pages are laid out with the first form, so it is one of middle width.
    bases = sorted(bases, key=lambda base: abs(base.advance - median(each.advance for each in bases)))
    return [_form(bases, number, habit, seed, character) for number in range(count)]


def _form(bases: Sequence[Outline], number: int, habit: Habit, seed: int, character: str) -> Outline:
    base = bases[number % len(bases)]
    if number >= len(bases):
        return vary(base, habit, EM, False, seed, character, number)
    return replace(base, points=base.points.round(), advance=max(1.0, round(base.advance)))


def _spaces(spacing: Spacing, units: float, seed: int) -> list[Outline]:
    space = Outline(np.zeros((0, 2)), (), (), spacing.word_gap * units)
    return [vary(space, Habit(), EM, False, seed, " ", number) for number in range(forms_of(" "))]


def _signatures(takes: Sequence[Take], seed: int) -> list[Outline]:
    """As many forms as a signature has, as large as they were written where there is room for that under a letter."""
    outlines = [take.outline for take in takes if take.outline is not None]
    if not outlines:
        return []
    boxes = [outline.box for outline in outlines]
    wide, high = max(box[2] - box[0] for box in boxes), max(box[3] - box[1] for box in boxes)
    scale = min(1.0, SIGNED_WIDTH / wide, SIGNED_HEIGHT / high) * EM / (SET_AT * SIGNED_LARGER * POINT)
    bases = []
    for outline in outlines:
        left, _, right, _ = outline.box
        moved = outline.moved(-left, 0)
        bases.append(replace(moved, points=moved.points * scale, advance=(right - left) * scale))
    return [_form(bases, number, STEADY, seed, "signature") for number in range(SIGNATURE_FORMS)]
