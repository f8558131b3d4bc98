"""Reads how large each page of a Parquet file becomes, from the pages' own headers; opens no page.

The sums in a file's footer may be made up, and whoever reads the page sets aside what its header says. The headers are
Thrift structs in the compact protocol: https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from outreach.errors import SourceUnreadable

# Programs write pages of about 1 MB; a dictionary, or one page for all, may be some tens.
LARGEST_PAGE = 64 * 1024 * 1024
# Statistics in a header may repeat a long value.
_HEADERS = (1 << 12, 1 << 16, 1 << 20)
_DEEPEST = 8
# Fields of a page's header, and the first of each struct that tells of one kind of page (parquet.thrift).
_UNPACKED, _PACKED, _KINDS, _VALUES = 2, 3, (5, 8), 1


@dataclass(frozen=True)
class ParquetPage:
    """One page of a column."""

    column: str
    #: In bytes, unpacked.
    size: int
    #: How many stand in rows; a dictionary has none.
    values: int


def measure_pages(path: Path, metadata: Any, columns: Collection[str]) -> list[ParquetPage]:
    """The pages of these columns. Raises SourceUnreadable where a header is none."""
    with path.open("rb") as file:
        try:
            return [page for chunk in _chunks(metadata, columns) for page in _pages_of(file, chunk)]
        except (IndexError, KeyError, ValueError, OverflowError) as error:
            raise SourceUnreadable("it cannot be read (it is not a whole Parquet file)") from error


def _chunks(metadata: Any, columns: Collection[str]) -> Iterator[Any]:
    for group in range(metadata.num_row_groups):
        row_group = metadata.row_group(group)
        for at in range(row_group.num_columns):
            if (chunk := row_group.column(at)).path_in_schema in columns:
                yield chunk


def _pages_of(file: BinaryIO, chunk: Any) -> Iterator[ParquetPage]:
    first, dictionary = chunk.data_page_offset, chunk.dictionary_page_offset
    at = dictionary if chunk.has_dictionary_page and dictionary and dictionary < first else first
    end = at + chunk.total_compressed_size
    while at < end:
        header, length = _read_header(file, at)
        unpacked, packed = header[_UNPACKED], header[_PACKED]
        if min(unpacked, packed) < 0:
            raise ValueError("a page of less than nothing")
        values = next((header[kind][_VALUES] for kind in _KINDS if kind in header), 0)
        yield ParquetPage(chunk.path_in_schema, max(unpacked, packed), values)
        at += length + packed


def _read_header(file: BinaryIO, at: int) -> tuple[dict[int, Any], int]:
    for most in _HEADERS:
        file.seek(at)
        struct = _Struct(file.read(most))
        try:
            return struct.read(), struct.at
        except IndexError:
            if most == _HEADERS[-1]:
                raise
    raise IndexError(at)


class _Struct:
    """Bytes that begin with a struct; IndexError where they end before it does."""

    def __init__(self, content: bytes) -> None:
        self.content, self.at = content, 0

    def read(self, depth: int = 0) -> dict[int, Any]:
        """Its fields by their numbers; of strings, lists and maps nothing is kept."""
        if depth > _DEEPEST:
            raise ValueError("a header as deep as none is")
        fields: dict[int, Any] = {}
        number = 0
        while head := self._byte():
            # A field's number is given as the step from the one before; where that is 0, the number itself follows.
            number = number + (head >> 4) if head >> 4 else self._number()
            fields[number] = self._value(head & 15, depth)
        return fields

    def _byte(self) -> int:
        self.at += 1
        return self.content[self.at - 1]

    def _varint(self) -> int:
        value = shift = 0
        while True:
            byte = self._byte()
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value
            if shift > 63:
                raise ValueError("a number as long as none is")

    def _number(self) -> int:
        value = self._varint()
        # Zigzag: the lowest bit is the sign.
        return (value >> 1) ^ -(value & 1)

    def _skip(self, length: int) -> None:
        self.at += length
        if self.at > len(self.content):
            raise IndexError(self.at)

    def _value(self, kind: int, depth: int, is_in_list: bool = False) -> Any:
        match kind:
            # A boolean field has its value in its type; only in a list does it have a byte of its own.
            case 1 | 2:
                return bool(self._byte() == 1) if is_in_list else kind == 1
            case 3:
                return self._byte()
            case 4 | 5 | 6:
                return self._number()
            case 7:
                return self._skip(8)
            case 8:
                return self._skip(self._varint())
            case 9 | 10:
                head = self._byte()
                for _ in range(self._varint() if head >> 4 == 15 else head >> 4):
                    self._value(head & 15, depth + 1, is_in_list=True)
                return None
            case 12:
                return self.read(depth + 1)
        raise ValueError("a kind of value that no header has")
