"""How the bytes of a Python file become text: PEP 263 encodings, byte-order marks, and what cannot be read as Python at all.

Line endings are left as they are: offsets count the characters of the file.
"""

from __future__ import annotations

import codecs
import io
import tokenize
from dataclasses import dataclass


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
        raise Undecodable(str(error.msg), 1) from error
    bom = codecs.BOM_UTF8 if data.startswith(codecs.BOM_UTF8) else b""
    encoding = "utf-8" if encoding == "utf-8-sig" else encoding
    try:
        source = Source(data[len(bom) :].decode(encoding), encoding, bom)
    except UnicodeDecodeError as error:
        row = data.count(b"\n", 0, len(bom) + error.start) + 1
        raise Undecodable(f"the file is not valid {encoding}: {error.reason}", row) from error
    except (LookupError, ValueError) as error:  # a codec that is no text encoding, such as rot13
        raise Undecodable(f"the file cannot be decoded as {encoding}: {error}", 1) from error
    return source
