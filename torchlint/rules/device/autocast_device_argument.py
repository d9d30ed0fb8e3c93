"""Autocast that is told a device where it wants the name of a kind of device."""

from collections.abc import Iterator

import libcst as cst

from torchlint import rewrite
from torchlint.model import FileModel
from torchlint.rule import ERROR, REPAIRS, SAFE, Finding, Fix, rule
from torchlint.values.value import Kind

_AUTOCAST = ("torch.autocast", "torch.amp.autocast", "torch.amp.autocast_mode.autocast")
_PLAIN = (cst.Name, cst.Attribute, cst.Call, cst.Subscript)


@rule("TL406", severity=ERROR, fix=SAFE, effect=REPAIRS, mentions=("autocast",))
def check(file: FileModel) -> Iterator[Finding]:
    for call in file.calls(*_AUTOCAST):
        given = next((arg for arg in call.args if arg.keyword is not None and arg.keyword.value == "device_type"), None)
        given = given or next((arg for arg in call.args[:1] if arg.keyword is None and not arg.star), None)
        if given is None:
            continue  # `autocast(**settings)`
        what, fix = _judge(file, given.value)
        if what is None:
            continue  # a string without an index, or nothing is known of it
        yield Finding(
            given.value,
            f'`autocast` takes the kind of device, `"cuda"` or `"cpu"`, and gets {what}',
            help="leave the index out" if isinstance(given.value, (cst.SimpleString, cst.FormattedString)) else "pass `device.type`",
            fix=fix,
        )


def _judge(file: FileModel, given: cst.BaseExpression) -> tuple[str | None, Fix | None]:
    """What is wrong with the argument, and how to mend it."""
    start = given.parts[0] if isinstance(given, cst.FormattedString) and len(given.parts) == 2 else given
    written = start.value if isinstance(start, cst.FormattedStringText) else file.literal(start)
    if isinstance(written, str):
        kind, colon, _ = written.partition(":")
        return ("one device by its index", rewrite.replace(given, f'"{kind}"')) if colon else (None, None)
    if _is_device(file, given):
        return "a `torch.device`, which it refuses", rewrite.wrap(given, "{}.type")
    if isinstance(given, cst.Call) and isinstance(given.func, cst.Name) and given.func.value == "str" and len(given.args) == 1:
        device = given.args[0].value
        if _is_device(file, device) and isinstance(device, _PLAIN):
            return "the text of a device, which may end in an index", rewrite.replace(given, f"{file.source(device)}.type")
    return None, None


def _is_device(file: FileModel, node: cst.BaseExpression) -> bool:
    """Whether it is certainly a `torch.device`: `config.device` may as well be a string."""
    value = file.value(node)
    made = value.node
    if isinstance(made, cst.Attribute) and file.qualname(made) is None:
        return value.kind is Kind.DEVICE and file.value(made.value).kind in (Kind.TENSOR, Kind.MANAGER)
    return value.kind is Kind.DEVICE
