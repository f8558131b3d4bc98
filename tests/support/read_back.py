"""How many letters of a learned hand come back right: each laid over every letter of the face its form was filled in.

A letter is right when it covers its own letter of the face well, and no other letter better. The face is drawn as large
and as high as fits most letters, one size for all of them, by a program that knows nothing of ours.
"""

from dataclasses import dataclass
from pathlib import Path
from statistics import median

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from filled_form import characters_of
from outreach.composing.handwriting.font.letterforms import LATIN, Outline
from outreach.composing.handwriting.own_hand.form import TAKES, Form
from outreach.composing.handwriting.own_hand.learn import X_HEIGHT, OwnHand
from outreach.composing.handwriting.own_hand.tracing import fill

# Pixels: of an x, of the field a letter is drawn in, and of its line above the field's foot.
HIGH, FIELD, LINE = 24, 120, 44
# Letters are laid over one another with so many pixels of play, as no one writes a letter in one place twice.
PLAY = 2
# Common ink as a share of all ink: the least for a letter that came back, and what two that look alike may differ by.
COVERED, ALIKE = 0.55, 0.02
Ink = NDArray[np.float32]


@dataclass(frozen=True)
class ReadBack:
    """`wrong` says by character, and which time it was written, how far it covers its own and the best other letter."""

    letters: int
    wrong: dict[tuple[str, int], tuple[float, str, float]]
    covered: float

    @property
    def share(self) -> float:
        return 1 - len(self.wrong) / self.letters


def read_back(hand: OwnHand, face: Path, form: Form) -> ReadBack:
    """Every form that was written of every letter that the face has, against all those letters.

    Accents are left out: they are written for the letters below them, and smaller. A letter that the pen lacks counts
    as wrong. `covered` is the middle of how far letters cover their own.
    """
    known = characters_of(face)
    characters = [character for character in form.characters if character in known and character in LATIN]
    em, above = _fit(hand, face, characters)
    sources = np.stack([_drawn(face, character, em, above) for character in characters])
    forms = [(character, take) for character in characters for take in range(TAKES)]
    ours = np.stack([_filled(hand.forms.get(character, []), take) for character, take in forms])
    covered = _covered(ours, sources)
    wrong, own = {}, []
    for row, (character, take) in zip(covered, forms, strict=True):
        mine = float(row[characters.index(character)])
        own.append(mine)
        if mine < max(COVERED, float(row.max()) - ALIKE):
            wrong[character, take] = mine, characters[int(row.argmax())], float(row.max())
    return ReadBack(len(forms), wrong, median(own))


def _covered(ours: Ink, sources: Ink) -> Ink:
    """For each of ours and each source: common ink as a share of all ink, where they cover each other best."""
    flat = sources.reshape(len(sources), -1)
    best = np.zeros((len(ours), len(sources)), np.float32)
    for up in range(-PLAY, PLAY + 1):
        for right in range(-PLAY, PLAY + 1):
            moved = np.roll(ours, (up, right), axis=(1, 2)).reshape(len(ours), -1)
            common = moved @ flat.T
            whole = moved.sum(axis=1)[:, None] + flat.sum(axis=1)[None, :] - common
            best = np.maximum(best, common / np.maximum(whole, 1))
    return best


def _fit(hand: OwnHand, face: Path, characters: list[str]) -> tuple[float, float]:
    """The pixels of an em of the face, and how far its line is above ours, at which most letters are of one height."""
    font = ImageFont.truetype(face, 1000)
    boxes = [(hand.forms[each][0].box, font.getbbox(each, anchor="ls")) for each in characters if each in hand.forms]
    scale = median((ours[3] - ours[1]) * HIGH / X_HEIGHT / (its[3] - its[1]) for ours, its in boxes)
    return 1000 * scale, median(ours[1] * HIGH / X_HEIGHT + its[3] * scale for ours, its in boxes)


def _drawn(face: Path, character: str, em: float, above: float) -> Ink:
    field = Image.new("L", (FIELD, FIELD), 0)
    place, font = (FIELD / 3, FIELD - LINE - above), ImageFont.truetype(face, em)
    ImageDraw.Draw(field).text(place, character, font=font, fill=255, anchor="ls")
    return _in_the_middle(np.asarray(field) > 127)


def _filled(forms: list[Outline], take: int) -> Ink:
    if not forms:
        return np.zeros((FIELD, FIELD), np.float32)
    filled = fill(forms[take % len(forms)], HIGH / X_HEIGHT, FIELD, FIELD, (FIELD / 3, LINE))
    return _in_the_middle(filled < 128)


def _in_the_middle(spots: NDArray[np.bool_]) -> Ink:
    columns = np.flatnonzero(spots.any(axis=0))
    return np.roll(spots, FIELD // 2 - (columns[0] + columns[-1]) // 2, axis=1).astype(np.float32)
