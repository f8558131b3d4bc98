"""How many letters of a photographed form come back right, for every face of handwriting there is.

    PYTHONPATH=tests/support .venv/bin/python benchmarks/own_hand.py [--fonts FOLDER] [--rounds 1] [--picture FILE.png]

Each face fills in a form by program, every letter a little otherwise each time; the pages are photographed askew, on
yellow paper, half in shadow, unsharp and noisy; a pen is learned from them, and each letter it has of the form is laid
over every letter of the face. Prints for each face the letters, the share that came back right, how much of its own
letter the middle one covers, the letters said to be written again, and the seconds of learning. With --picture it draws
one face's form and what its pen writes instead.
"""

import argparse
import tempfile
import time
from pathlib import Path

from PIL import Image

from filled_form import characters_of, fill_form, photograph
from outreach.composing.handwriting.own_hand.form import LETTERS, form_for
from outreach.composing.handwriting.own_hand.learn import OwnHand, keep_hand, learn_hand
from outreach.composing.handwriting.own_hand.proof import write_lines
from outreach.composing.handwriting.own_hand.scans import flatten
from outreach.composing.handwriting.pens import FACES, TYPED, pen_named
from outreach.composing.paper.sizes import A4
from read_back import read_back

FORM, NAME = form_for("en", A4), "Nora Whitcomb"
# A page of the form and the hand beside it: pixels, and the mm of a page that the hand writes on.
HIGH, WIDE, WRITTEN = 1200, 1000, (110.0, 106.0)


def faces_in(folder: Path) -> list[Path]:
    """The fonts in which a whole form can be filled in, but for the typed face."""
    fonts = sorted(folder.glob("*.ttf"))
    return [font for font in fonts if font.stem != TYPED and set(LETTERS) <= characters_of(font)]


def learn(face: Path, seed: int) -> tuple[OwnHand, list[Image.Image], float]:
    """The hand that comes of a form filled in with `face`, its photographs, and the seconds that learning took."""
    pictures = [photograph(page, seed + number) for number, page in enumerate(fill_form(FORM, face, NAME, seed))]
    begun = time.perf_counter()
    hand = learn_hand("Nora", [flatten(picture, face.name) for picture in pictures], NAME)
    return hand, [Image.fromarray(picture) for picture in pictures], time.perf_counter() - begun


def draw_beside(face: Path) -> Image.Image:
    """A photographed page of the form, and beside it a few lines of the hand that was learned from it."""
    hand, pictures, _ = learn(face, 7)
    form = pictures[0].resize((pictures[0].width * HIGH // pictures[0].height, HIGH))
    with tempfile.TemporaryDirectory() as folder:
        keep_hand(hand, "Nora", Path(folder))
        written = write_lines(hand, pen_named("Nora", Path(folder)), NAME, WRITTEN, WIDE)
    both = Image.new("RGB", (form.width + WIDE, HIGH), "white")
    both.paste(form, (0, 0))
    both.paste(written, (form.width, (HIGH - written.height) // 2))
    return both


def main() -> None:
    words = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    words.add_argument("--fonts", type=Path, default=FACES)
    words.add_argument("--rounds", type=int, default=1)
    words.add_argument("--picture", type=Path)
    words.add_argument("--face", default="Mynerve", help="the face of the picture")
    asked = words.parse_args()
    if asked.picture:
        draw_beside(asked.fonts / f"{asked.face}.ttf").quantize(256).save(asked.picture, optimize=True)
        return
    print(f"{'face':28}{'letters':>8}{'right':>8}{'covered':>9}{'again':>7}{'seconds':>9}")
    letters = wrong = 0
    for face in faces_in(asked.fonts):
        for number in range(asked.rounds):
            hand, _, seconds = learn(face, 7 + 100 * number)
            back = read_back(hand, face, FORM)
            letters, wrong = letters + back.letters, wrong + len(back.wrong)
            print(
                f"{face.stem:28}{back.letters:8}{back.share:8.1%}{back.covered:9.2f}{len(hand.again):7}{seconds:9.1f}",
                flush=True,
            )
    print(f"{'all':28}{letters:8}{1 - wrong / letters:8.1%}")


if __name__ == "__main__":
    main()
