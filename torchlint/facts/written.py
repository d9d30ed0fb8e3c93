"""Patterns for what is looked for in the texts of all files of a run, so written that a search is quick."""

import re


def word(text: str) -> str:
    """A pattern for what begins as a word of its own; `text` begins with a letter and is a pattern itself.

    The same as `\\b` in front of it. Where all alternatives of a pattern begin with a letter, a search skips from one such letter to the
    next; `\\b` would be tried at each character.
    """
    return rf"{re.escape(text[0])}(?<!\w.){text[1:]}"
