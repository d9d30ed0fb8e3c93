"""How the bytes of a Python file become text: PEP 263 encodings, byte-order marks, and what cannot be read as Python at all.

Line endings are left as they are: offsets count the characters of the file.
"""

from __future__ import annotations

import codecs
import io
import re
import tokenize
from dataclasses import dataclass

UTF_8_DIALECTS = frozenset(("future_annotations", "future_fstrings"))
"""Encodings that packages of the same names register: UTF-8, with newer syntax rewritten for an older Python."""
_FIRST_ROWS = re.compile(r"\A(.*?)(?:\r\n?|\n|\Z)(?:(.*?)(?:\r\n?|\n|\Z))?", re.DOTALL)
_PASSIVE = re.compile(r"[ \t\f]*(?:#|\Z)")
_DECLARED = re.compile(r"^[ \t\f]*#.*?coding[:=][ \t]*([-\w.]+)")


class Undecodable(ValueError):
    """Bytes that are not Python source in the encoding that they declare."""

    def __init__(self, message: str, row: int) -> None:
        super().__init__(message)
        self.row = row


@dataclass(frozen=True, slots=True)
class Source:
    """A text together with what is needed to turn it into bytes again."""

    text: str
    """Without a byte-order mark."""
    encoding: str
    bom: bytes

    def encode(self, text: str) -> bytes:
        """Raises `UnicodeEncodeError` for a text that this encoding cannot hold."""
        return self.bom + text.encode(self.encoding)


def decode(data: bytes) -> Source:
    if (position := data.find(b"\0")) >= 0:
        raise Undecodable("the file contains a NUL byte", data.count(b"\n", 0, position) + 1)
    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(data).readline)
    except SyntaxError as error:
        if declared_encoding(data.decode("latin-1")) not in UTF_8_DIALECTS:
            raise Undecodable(str(error.msg), 1) from error
        encoding = "utf-8"
    bom = codecs.BOM_UTF8 if data.startswith(codecs.BOM_UTF8) else b""
    encoding = "utf-8" if encoding == "utf-8-sig" else encoding
    try:
        source = Source(data[len(bom) :].decode(encoding), encoding, bom)
    except UnicodeDecodeError as error:
        row = data.count(b"\n", 0, len(bom) + error.start) + 1
        raise Undecodable(f"the file is not valid {encoding}: {error.reason}", row) from error
    except (LookupError, ValueError) as error:  # a codec that is no text encoding, such as rot13
        raise Undecodable(f"the file cannot be decoded as {encoding}: {error}", 1) from error
    if source.text.startswith("\ufeff"):
        raise Undecodable("the file has a second byte-order mark (U+FEFF)", 1)
    return source


def declared_encoding(text: str) -> str | None:
    """The encoding that the text declares where Python looks for it: in a comment of the first row, or of the second below no code."""
    found = _FIRST_ROWS.match(text)
    for row in found.groups("") if found is not None else ():
        declared = _DECLARED.match(row)
        if declared:
            return declared[1].lower().replace("-", "_")
        if not _PASSIVE.match(row):
            return None
    return None
