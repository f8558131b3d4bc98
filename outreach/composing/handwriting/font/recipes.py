"""What the pens that come with the product are made from. They are made once and kept: no letter asks for this."""

from outreach.composing.handwriting.font.compiler import Recipe
from outreach.composing.handwriting.font.variation import Habit
from outreach.composing.handwriting.pens import FACES

# A face whose letters are small in its em, or hard to read as they are, wavers less: OCR is to err at most ten points
# more on the pen than on the face (benchmarks/pages.py legible).
STEADIER = Habit(
    turn=2.0, lean=0.038, growth=0.050, width=0.045, rise=0.017, waver=0.014, pressure=0.0018, stride=0.009
)
STEADIEST = Habit(
    redrawn=0.45, turn=1.3, lean=0.024, growth=0.034, width=0.028, rise=0.009, waver=0.009, pressure=0.0012,
    thinner=0.0075, stride=0.007,
)  # fmt: skip
# Sizes were chosen by eye, so that the hands stand equally large on the page and 150 words fill it without crowding.
RECIPES = (
    Recipe("Alder", FACES / "LaBelleAurore.ttf", 1, size=18, word_gap=0.0, is_joined=True, habit=Habit(redrawn=0.7)),
    Recipe("Birch", FACES / "HomemadeApple.ttf", 2, size=13, word_gap=0.24, is_joined=True, habit=STEADIEST),
    Recipe("Cedar", FACES / "NothingYouCouldDo.ttf", 3, size=14.5),
    Recipe("Dogwood", FACES / "ReenieBeanie.ttf", 4, size=21, word_gap=0.05, habit=STEADIEST),
    Recipe(
        "Elm",
        FACES / "TheGirlNextDoor.ttf",
        5,
        size=14,
        dot=1.8,
        habit=Habit(redrawn=0.8, lean=0.065, growth=0.055, rise=0.030),
    ),
    Recipe("Fir", FACES / "Mynerve.ttf", 6, size=15.5, word_gap=0.11, hidden="b"),
    Recipe("Gorse", FACES / "Caveat.ttf", 7, size=19, word_gap=0.08, habit=STEADIER),
    Recipe(
        "Hazel",
        FACES / "PlaypenSans.ttf",
        8,
        size=13,
        word_gap=0.04,
        habit=Habit(lean=0.060, rise=0.028, growth=0.07, waver=0.026, turn=3.0),
    ),
)
