"""A tensor that grows by a concatenation in every round of a loop."""

from collections.abc import Iterator

import libcst as cst

from torchlint import rewrite
from torchlint.model import FileModel
from torchlint.rule import KEEPS, UNSAFE, WARNING, Finding, Fix, rule
from torchlint.rules.device._growth import Growth, growths
from torchlint.rules.device._passes import runs_network


@rule("TL412", severity=WARNING, fix=UNSAFE, effect=KEEPS, mentions=("cat(", "stack(", "concat("), quiet_in_tests=True)
def check(file: FileModel) -> Iterator[Finding]:
    for growth in growths(file.analysis):
        name = growth.name.value
        yield Finding(
            growth.call,
            f"every round copies all of `{name}` again: the cost grows with the square of the number of rounds",
            help="append to a list, and concatenate once after the loop",
            fix=_fix(file, growth),
            related=((growth.loop.target if isinstance(growth.loop, cst.For) else growth.loop.test, "in this loop"),),
            is_for_askers=runs_network(file.analysis, growth.loop),  # a pass through a network takes longer than the copy
        )


def _fix(file: FileModel, growth: Growth) -> Fix | None:
    start, name = growth.start, growth.name.value
    if start is None or not growth.added or not growth.goes_on_behind:
        return None  # it begins elsewhere, or in the loop; it grows at the front; or the loop may be left for good
    sources = [file.source(each, whole=True) for each in growth.added]
    added = f"{name}.append({sources[0]})" if len(sources) == 1 else f"{name} += [{', '.join(sources)}]"
    rest = "".join(
        f", {file.source(arg.value) if arg.keyword is None else f'{arg.keyword.value}={file.source(arg.value)}'}"
        for arg in growth.call.args[1:]
    )
    joined = f"{name} = {file.source(growth.call.func)}({name}{rest})"
    fix = rewrite.replace(start.value, f"[{file.source(start.value, whole=True)}]") + rewrite.replace_statement(growth.call, added)
    return (fix + rewrite.insert_after(growth.loop, joined)).saying(f"collect `{name}` in a list")
