"""Data sets of code: `torchlint corpus`, which maps the linter and the fixer over many texts with Ray Data.

What stands here is what Ray does not know: what a text is (`sources`), what is said about it (`judging`, in a process that may die:
`isolated`), how that becomes columns (`tables`), and which run an output belongs to (`record`). Reading, sharing out, writing, retrying
and resuming are Ray's (`pipeline`).
"""


class CorpusError(Exception):
    """Why there is no run; the message is for the user."""
