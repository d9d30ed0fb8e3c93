"""Whether a program looks for an accelerator before it uses one."""

from __future__ import annotations

import re

from torchlint.program.analysis import FileAnalysis

_LOOKS = re.compile(r"\bis_available\b|\bdevice_count\b|\bcurrent_accelerator\b")


def looks_for_accelerator(file: FileAnalysis) -> bool:
    """Whether any file of the program does."""
    return file.is_written(_LOOKS)
