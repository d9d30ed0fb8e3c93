"""Code of strangers that a program fetches or loads while it runs."""

from collections.abc import Iterator

from torchlint.model import FileModel
from torchlint.rule import WARNING, Finding, rule
from torchlint.rules.safety._libraries import chosen_libraries, unasked_repositories


@rule("TL908", severity=WARNING, mentions=("hub", "load_library"), quiet_in_tests=True)
def check(file: FileModel) -> Iterator[Finding]:
    for call, repository in unasked_repositories(file.analysis):
        yield Finding(
            call,
            f"this runs code from `{file.literal(repository)}`, and asks on the terminal first: nobody may be there to answer",
            help="pass `trust_repo=True` once you have read it, with a tag or commit behind the name: `owner/repository:v1.0`",
        )
    for call, path in chosen_libraries(file.analysis):
        yield Finding(
            call,
            f"whoever chooses `{' '.join(file.source(path).split())}` runs code in this process: a library starts to run as it is loaded",
            help="load from a path that the program spells out, or from beside `__file__`",
        )
