"""Leaves in a pen's font file only what a page shows: its glyphs, each under the number that it had.

Pens have no hinting and no glyph made of others, so that tables are put together from slices read once per pen.
WeasyPrint's own subset takes several times as long.
"""

import struct
from collections.abc import Collection
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

# What a TrueType font in a PDF must hold (ISO 32000-1, 9.9.1), beside the three that are made anew.
KEPT = (b"head", b"hhea", b"maxp")
SHORT_LOCA = 0x1FFFE


@dataclass(frozen=True)
class GlyphTables:
    """A pen's file, taken apart."""

    #: The tables that stay as they are, by tag.
    kept: dict[bytes, bytes]
    #: The drawing of each glyph.
    glyphs: tuple[bytes, ...]
    #: The width and left edge of each glyph.
    metrics: NDArray[np.uint32]


def places_of(font: bytes) -> dict[bytes, tuple[int, int]]:
    """Where each table of a TrueType file begins and how long it is, by its tag."""
    entries = (font[at : at + 16] for at in range(12, 12 + 16 * int.from_bytes(font[4:6], "big"), 16))
    return {entry[:4]: struct.unpack(">LL", entry[8:16]) for entry in entries}


def tables_of(font: bytes) -> dict[bytes, bytes]:
    """Each table of a TrueType file, by its tag."""
    return {tag: font[start : start + length] for tag, (start, length) in places_of(font).items()}


def read_glyphs(font: bytes) -> GlyphTables | None:
    """A pen's file taken apart; None where it is no such file as this product's compiler makes."""
    tables = tables_of(font)
    if not {b"glyf", b"loca", b"hmtx", *KEPT} <= tables.keys() or b"fpgm" in tables:
        return None
    count, metrics_count = (
        int.from_bytes(tables[tag][at : at + 2], "big") for tag, at in ((b"maxp", 4), (b"hhea", 34))
    )
    is_long = tables[b"head"][51] == 1
    offsets = np.frombuffer(tables[b"loca"], ">u4" if is_long else ">u2").astype(np.int64) * (1 if is_long else 2)
    glyphs = tuple(tables[b"glyf"][start:end] for start, end in pairwise(offsets.tolist()))
    # TrueType: a glyph made of others has a count of contours below zero.
    if any(glyph and glyph[0] & 0x80 for glyph in glyphs):
        return None
    metrics = np.frombuffer(tables[b"hmtx"][: 4 * metrics_count], ">u4").astype(np.uint32)
    # The last width holds for all glyphs after it.
    whole = np.concatenate([metrics, np.full(count - metrics_count, metrics[-1] & 0xFFFF0000, np.uint32)])
    return GlyphTables({tag: tables[tag] for tag in KEPT}, glyphs, whole)


def keep_glyphs(tables: GlyphTables, shown: Collection[int]) -> bytes:
    """A font file with those glyphs and the one for missing characters; numbers after the last are cut off."""
    count = max(shown, default=0) + 1
    lengths, metrics = np.zeros(count + 1, np.int64), np.zeros(count, ">u4")
    kept = sorted({0, *shown})
    drawn = [_padded(tables.glyphs[glyph]) for glyph in kept]
    lengths[np.array(kept) + 1] = [len(glyph) for glyph in drawn]
    metrics[kept] = tables.metrics[kept]
    offsets = np.cumsum(lengths)
    is_long = int(offsets[-1]) > SHORT_LOCA
    head, hhea, maxp = (bytearray(tables.kept[tag]) for tag in KEPT)
    head[50:52] = struct.pack(">h", is_long)
    hhea[34:36] = maxp[4:6] = struct.pack(">H", count)
    return _pack(
        {
            b"glyf": b"".join(drawn),
            b"head": bytes(head),
            b"hhea": bytes(hhea),
            b"hmtx": metrics.tobytes(),
            b"loca": (offsets.astype(">u4") if is_long else (offsets // 2).astype(">u2")).tobytes(),
            b"maxp": bytes(maxp),
        }
    )


def _padded(part: bytes) -> bytes:
    return part + b"\0" * (-len(part) % 4)


def _pack(tables: dict[bytes, bytes]) -> bytes:
    """A TrueType file of these tables, which stand in the order of their tags."""
    size = 1 << (len(tables).bit_length() - 1)
    header = struct.pack(">LHHHH", 0x10000, len(tables), 16 * size, size.bit_length() - 1, 16 * (len(tables) - size))
    at, entries, body = 12 + 16 * len(tables), [], []
    for tag, table in tables.items():
        padded = _padded(table)
        checksum = int(np.frombuffer(padded, ">u4").sum(dtype=np.uint64)) & 0xFFFFFFFF
        entries.append(tag + struct.pack(">LLL", checksum, at, len(table)))
        body.append(padded)
        at += len(padded)
    return header + b"".join(entries) + b"".join(body)
