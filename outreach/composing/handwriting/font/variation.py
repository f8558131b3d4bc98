"""Writes one character's outline once more: a little turned, leaned, larger and wavering.

The same character and the same seed give the same form for ever. What joins it to the next stays where it is.
"""

import hashlib
import math
from dataclasses import dataclass, fields, replace

import numpy as np

from outreach.composing.handwriting.font.letterforms import Outline, Points

WAVES = 5
# Standard deviations: nothing strays farther.
MOST = 1.9


@dataclass(frozen=True)
class Habit:
    """How much a hand varies: standard deviations, in em unless said.

    A third to a half of what people do, by eye and by benchmarks/believability.py: more looks drunk, less looks set.
    """

    #: How far the redrawn letters of a pen go (allographs.py): a share of all they may.
    redrawn: float = 1.0
    #: In degrees.
    turn: float = 2.4
    #: A share, as are the next two.
    lean: float = 0.045
    growth: float = 0.060
    #: How much wider or narrower than it is large.
    width: float = 0.055
    rise: float = 0.016
    shift: float = 0.005
    waver: float = 0.019
    pressure: float = 0.0024
    #: How much thinner than the base its strokes are on each side, because ink makes them heavier.
    thinner: float = 0.0095
    stride: float = 0.012
    #: Of the gaps between words, as a share of their width.
    space: float = 0.12
    #: The nearer a point is to a joined edge, the less it moves; from so many em on it moves freely.
    join: float = 0.16

    def gentler(self, share: float) -> "Habit":
        """The same hand where it takes care: all but its pressure by that share."""
        kept = {"thinner", "join", "space", "pressure"}
        return replace(
            self, **{each.name: getattr(self, each.name) * share for each in fields(self) if each.name not in kept}
        )


def vary(outline: Outline, habit: Habit, units: int, is_joined: bool, *seed: object) -> Outline:
    """Another form of a character, drawn with a generator of its own that `seed` names."""
    # The order of the draws below belongs to the seed: another order gives every pen other forms.
    rng = np.random.default_rng(number_of(*seed))
    if outline.is_blank:
        wider = 1 + float(np.clip(rng.normal(0.04, habit.space), -0.10, 0.35))
        return Outline(outline.points, (), (), round(outline.advance * wider))
    wider = 1 + _draw(rng, habit.width)
    points = outline.points * [wider, 1.0]
    wide = replace(outline, points=points, advance=outline.advance * wider)
    moved = _tilt(points, habit, units, rng)
    moved = moved + _waver(points, habit.waver * units, units, rng)
    moved = moved + _press(wide, habit, units, rng)
    if is_joined:
        moved = points + (moved - points) * _freedom(wide, habit.join * units)[:, None]
    stride = 0.0 if is_joined else _draw(rng, habit.stride) * units
    return Outline(moved.round(), outline.on_line, outline.ends, max(1.0, round(wide.advance + stride)))


def _draw(rng: np.random.Generator, deviation: float) -> float:
    """A normal deviate without its tails: one letter in fifty that stands out gives a whole page away."""
    return float(np.clip(rng.normal(0, 1), -MOST, MOST)) * deviation


def number_of(*seed: object) -> int:
    """A number that depends on every part of a seed, the same in every process."""
    # Not hash(): Python salts that of text anew in each process.
    return int.from_bytes(hashlib.blake2b(repr(seed).encode(), digest_size=8).digest(), "big")


def _tilt(points: Points, habit: Habit, units: int, rng: np.random.Generator) -> Points:
    """Turned, leaned, grown and shifted about the middle of its foot: letters stand on the line."""
    centre = np.array([(points[:, 0].min() + points[:, 0].max()) / 2, 0.0])
    angle = math.radians(_draw(rng, habit.turn))
    cosine, sine, lean = math.cos(angle), math.sin(angle), _draw(rng, habit.lean)
    grow = 1 + _draw(rng, habit.growth)
    matrix = grow * np.array([[cosine, -sine], [sine, cosine]]) @ np.array([[1, lean], [0, 1]])
    shift = np.array([_draw(rng, habit.shift), _draw(rng, habit.rise)]) * units
    tilted: Points = (points - centre) @ matrix.T + centre + shift
    return tilted


def _waver(points: Points, far: float, units: int, rng: np.random.Generator) -> Points:
    """A smooth displacement of waves from a third of an em to a little over one: no kink, no trembling."""
    length = rng.uniform(0.35, 1.1, WAVES) * units
    angle = rng.uniform(0, 2 * np.pi, WAVES)
    waves = 2 * np.pi / length * np.array([np.cos(angle), np.sin(angle)])
    strength = rng.normal(0, far / math.sqrt(WAVES), (WAVES, 2))
    moved: Points = np.sin(points @ waves + rng.uniform(0, 2 * np.pi, WAVES)) @ strength
    return moved


def _press(outline: Outline, habit: Habit, units: int, rng: np.random.Generator) -> Points:
    """The stroke a little thicker or thinner along its way: points move outward from the contour they lie on."""
    far = habit.pressure * units
    much = _draw(rng, far) - habit.thinner * units + _waver(outline.points, 0.7 * far, units, rng)[:, :1]
    pressed: Points = outline.outward * much
    return pressed


def _freedom(outline: Outline, reach: float) -> Points:
    """How freely each point may move: not at all at the left and right edges, fully from `reach` inside them."""
    left, _, right, _ = outline.box
    near = np.minimum(np.abs(outline.points[:, 0] - left), np.abs(outline.points[:, 0] - right)) / reach
    near = np.clip(near, 0, 1)
    freedom: Points = near * near * (3 - 2 * near)
    return freedom
