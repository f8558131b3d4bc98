"""Makes a letter look written by hand: pens (faces and how they sit on the page), and the press that makes the PDF."""
