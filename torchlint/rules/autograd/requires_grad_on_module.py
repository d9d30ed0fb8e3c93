"""`requires_grad` set on a module, which has no such attribute: none of its parameters changes."""

from collections.abc import Iterator

from torchlint import rewrite
from torchlint.model import FileModel
from torchlint.rule import ERROR, REPAIRS, SAFE, UNSAFE, Finding, rule
from torchlint.rules.autograd._flags import flags, is_read_of
from torchlint.values.value import Kind


@rule("TL105", severity=ERROR, fix=SAFE, effect=REPAIRS, mentions=("requires_grad",))
def check(file: FileModel) -> Iterator[Finding]:
    for flag in flags(file.analysis, "requires_grad"):
        module = file.value(flag.owner)
        if module.kind is not Kind.MODULE:
            continue  # a tensor or parameter, as it should be; or nothing is known
        if module.cls is not None and (module.cls.assigns("requires_grad") or module.cls.method("requires_grad") is not None):
            continue  # a class with an attribute or a property of that name
        if is_read_of(file.analysis, flag.owner, "requires_grad"):
            continue  # the program keeps a flag of its own there
        name, wanted = file.source(flag.owner), file.source(flag.value)
        fix = rewrite.replace_statement(flag.statement, f"{name}.requires_grad_({wanted})") if flag.is_alone else None
        sure = file.literal(flag.value) is False  # only what is to be frozen can have parameters of any type
        yield Finding(
            flag.attribute,
            f"`{name}` is a module: setting `requires_grad` on it changes none of its parameters",
            help=f"call `{name}.requires_grad_({wanted})`",
            fix=fix if fix is None or sure else fix.at_most(UNSAFE),
        )
