"""How many letters of a photographed form come back right, for every face of handwriting there is.

    PYTHONPATH=tests/support .venv/bin/python benchmarks/own_hand.py [--fonts FOLDER] [--rounds 1] [--picture FILE.png]
    PYTHONPATH=tests/support .venv/bin/python benchmarks/own_hand.py --believable|--hands [--faces Caveat,Mynerve]

Each face fills in a form by program, every letter a little otherwise each time; the pages are photographed askew, on
yellow paper, half in shadow, unsharp and noisy; a pen is learned from them, and each letter it has of the form is laid
over every letter of the face. Prints for each face the letters, the share that came back right, how much of its own
letter the middle one covers, the letters said to be written again, and the seconds of learning. With --picture it draws
one face's form and what its pen writes instead.

--believable fills the form in as unevenly as real people write, and prints for the learned pen's letters the score of
believability.py, and what tesseract misreads of them and of a page on which the same person writes the same words.
--hands prints how strange to one another the pages of one such person are, and those of two: at most and at least.
"""

import argparse
import io
import statistics
import tempfile
import textwrap
import time
from itertools import combinations, permutations
from pathlib import Path

import numpy as np
from PIL import Image

from filled_form import REAL, characters_of, fill_form, photograph, size_of, write
from outreach.composing.handwriting.own_hand.form import LETTERS, Box, form_for
from outreach.composing.handwriting.own_hand.learn import OwnHand, keep_hand, learn_hand
from outreach.composing.handwriting.own_hand.likeness import measure_strangeness
from outreach.composing.handwriting.own_hand.proof import write_lines
from outreach.composing.handwriting.own_hand.samples import Take, cut_page
from outreach.composing.handwriting.own_hand.scans import FINE, flatten
from outreach.composing.handwriting.pens import FACES, TYPED, pen_named
from outreach.composing.paper.sizes import A4, US_LETTER, Zone
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


def believe(face: Path) -> tuple[float, float, float]:
    """Of an uneven person's pen the score of its letters, and what tesseract misreads of them and of the person."""
    from believability import measure_page, score
    from pages import letter_maker, misread, paragraphs
    from written_body import scan_body

    pages = [flatten(page, face.stem) for page in fill_form(FORM, face, NAME, 7, unevenness=REAL)]
    name = "Nora"
    with tempfile.TemporaryDirectory() as folder:
        keep_hand(learn_hand(name, pages, NAME), name, Path(folder))
        make = letter_maker(name, own=Path(folder))
        bodies = [make(number) for number in range(3)]
    said = paragraphs()
    found = [measure_page(*scan_body(body, said[:-1])) for body in bodies]
    ours = statistics.mean(misread(body, " ".join(said), US_LETTER.body_top)[0] for body in bodies)
    theirs = misread(write_page(face, said), " ".join(said))[0]
    return statistics.mean(score(each) for each in found if each), ours, theirs


def write_page(face: Path, paragraphs: list[str]) -> bytes:
    """A page on which the person who filled in the form writes `paragraphs`, as large as a pen does, as PDF."""
    lines = [line for part in paragraphs for line in textwrap.wrap(part, 52)]
    rng = np.random.default_rng(1)
    # Misreading leaves out what is within 20 mm of the foot.
    page = np.full((round((len(lines) * 9 + 40) * FINE), 210 * FINE, 3), 255, np.uint8)
    for number, line in enumerate(lines):
        zone = Zone(5, 5 + 9 * number, 200, 14)
        write(page, Box("word", line, 0, 0, zone, zone.top + 8), line, 0.65 * size_of(face, FORM), face, rng, REAL)
    out = io.BytesIO()
    Image.fromarray(page).save(out, "PDF", resolution=25.4 * FINE)
    return out.getvalue()


def compare_hands(faces: list[Path]) -> None:
    read: dict[str, list[list[Take]]] = {}
    for face in faces:
        pages = [flatten(page, face.stem) for page in fill_form(FORM, face, NAME, 7, unevenness=REAL)]
        read[face.stem] = [
            [each for each in cut_page(page) if each.box.kind == "letter" and each.is_good] for page in pages
        ]
    one = {name: [measure_strangeness(*pair) for pair in combinations(pages, 2)] for name, pages in read.items()}
    for name, far in one.items():
        print(f"{name:28}{max(filter(None, far)):8.3f} at most between pages of one hand", flush=True)
    for name, other in permutations(read, 2):
        far = [measure_strangeness(read[name][0], page) for page in read[other]]
        print(f"{name:28}{min(filter(None, far)):8.3f} at least from its first page to {other}", flush=True)


def main() -> None:
    words = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    words.add_argument("--fonts", type=Path, default=FACES)
    words.add_argument("--rounds", type=int, default=1)
    words.add_argument("--picture", type=Path)
    words.add_argument("--face", default="Mynerve", help="the face of the picture")
    words.add_argument("--believable", action="store_true")
    words.add_argument("--hands", action="store_true")
    words.add_argument("--faces", default="", help="the faces to look at, by their files' names; else all")
    asked = words.parse_args()
    faces = [face for face in faces_in(asked.fonts) if not asked.faces or face.stem in asked.faces.split(",")]
    if asked.hands:
        compare_hands(faces)
        return
    if asked.believable:
        print(f"{'face':28}{'score':>6}{'misread':>9}{'of the person':>15}")
        for face in faces:
            score, ours, theirs = believe(face)
            print(f"{face.stem:28}{score:6.0f}{ours:9.1%}{theirs:15.1%}", flush=True)
        return
    if asked.picture:
        draw_beside(asked.fonts / f"{asked.face}.ttf").quantize(256).save(asked.picture, optimize=True)
        return
    print(f"{'face':28}{'letters':>8}{'right':>8}{'covered':>9}{'again':>7}{'seconds':>9}")
    letters = wrong = 0
    for face in faces:
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
