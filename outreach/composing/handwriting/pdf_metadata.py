"""Has a PDF that is about to be written say more about itself: where it is cut, and which standards it keeps to."""

import zlib
from typing import Any

POINTS = 72 / 25.4
# PDF/A wants every word of its description explained that its own standard does not know; that of PDF/UA is one.
_BOTH = b"""<rdf:Description rdf:about="" xmlns:pdfuaid="http://www.aiim.org/pdfua/ns/id/" pdfuaid:part="1"/>\
<rdf:Description rdf:about="" xmlns:pdfaExtension="http://www.aiim.org/pdfa/ns/extension/" \
xmlns:pdfaSchema="http://www.aiim.org/pdfa/ns/schema#" xmlns:pdfaProperty="http://www.aiim.org/pdfa/ns/property#">\
<pdfaExtension:schemas><rdf:Bag><rdf:li rdf:parseType="Resource">\
<pdfaSchema:schema>PDF/UA identification schema</pdfaSchema:schema>\
<pdfaSchema:namespaceURI>http://www.aiim.org/pdfua/ns/id/</pdfaSchema:namespaceURI>\
<pdfaSchema:prefix>pdfuaid</pdfaSchema:prefix>\
<pdfaSchema:property><rdf:Seq><rdf:li rdf:parseType="Resource">\
<pdfaProperty:name>part</pdfaProperty:name><pdfaProperty:valueType>Integer</pdfaProperty:valueType>\
<pdfaProperty:category>internal</pdfaProperty:category>\
<pdfaProperty:description>Which part of ISO 14289 the file keeps to</pdfaProperty:description>\
</rdf:li></rdf:Seq></pdfaSchema:property></rdf:li></rdf:Bag></pdfaExtension:schemas></rdf:Description></rdf:RDF>"""


def set_trim(pdf: Any, bleed: float) -> None:
    """Says on each page of a card that `bleed` millimetres are cut off all around it."""
    cut = bleed * POINTS
    for page in pdf.objects:
        if cut and isinstance(page, dict) and page.get("Type") == "/Page":
            left, bottom, right, top = page["MediaBox"]
            page["BleedBox"] = page["MediaBox"]
            page["TrimBox"] = type(page["MediaBox"])([left + cut, bottom + cut, right - cut, top - cut])


def pack_streams(pdf: Any) -> None:
    """Compresses what pydyf would compress at level 9, which takes milliseconds more and makes little smaller."""
    for written in pdf.objects:
        if getattr(written, "compress", False):
            # Of all streams in a PDF only fonts say their unpacked length, in Length1; outlines hardly shrink.
            level = 1 if "Length1" in written.extra else 4
            written.stream = [zlib.compress(b"\n".join(map(_as_bytes, written.stream)), level)]
            written.extra["Filter"] = "/FlateDecode"
            written.compress = False


def _as_bytes(part: Any) -> bytes:
    """A part of a stream: orders, marks, or an object of pydyf."""
    if isinstance(part, bytes):
        return part
    return bytes(part.data) if hasattr(part, "data") else str(part).encode("ascii")


def say_both(pdf: Any) -> None:
    """Says in a PDF/A file that it keeps to PDF/UA-1 as well; WeasyPrint says only one of them."""
    # The catalogue refers to it as PDF does: “12 0 R”.
    number = int(pdf.catalog["Metadata"].split()[0])
    description = pdf.objects[number]
    description.stream[:] = [part.replace(b"</rdf:RDF>", _BOTH) for part in description.stream]
