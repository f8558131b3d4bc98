"""Makes the pens that come with the product anew from their recipes, each with the one that signs for it.

    .venv/bin/python setup/make_pens.py

To be run after a change to a recipe or to what draws letters. Letters that were composed keep the bytes they have.
"""

from outreach.composing.handwriting.font.compiler import compile_pen
from outreach.composing.handwriting.font.recipes import RECIPES
from outreach.composing.handwriting.pens import SHIPPED, SIGNATURE
from outreach.composing.handwriting.signature_pens import compile_signature_pen


def main() -> None:
    """Writes both files of each recipe, and says how large they are."""
    for recipe in RECIPES:
        for name, made in (
            (recipe.name, compile_pen(recipe)),
            (recipe.name + SIGNATURE, compile_signature_pen(recipe)),
        ):
            (SHIPPED / f"{name}.ttf").write_bytes(made)
            print(f"{name:20} {len(made):9,} bytes")


if __name__ == "__main__":
    main()
