"""How a letter comes to look written: pens (faces and how they sit on the page), and the press that makes the PDF."""
