"""The logarithm of a softmax, taken in two steps: small probabilities round to 0, and their logarithm is minus infinity."""

from collections.abc import Iterator

import libcst as cst

from torchlint import rewrite
from torchlint.facts.operations import Form
from torchlint.model import FileModel
from torchlint.model.operations import Use
from torchlint.rule import KEEPS, UNSAFE, WARNING, Finding, Fix, rule
from torchlint.rules.numerics._activations import BOUNDED, activation
from torchlint.rules.numerics._looked_at import is_a_mere_figure
from torchlint.rules.numerics._losses import input_of, method_or_operation, renamed, still_holds


@rule("TL605", severity=WARNING, fix=UNSAFE, effect=KEEPS, mentions=("oftmax",), quiet_in_tests=True)
def check(file: FileModel) -> Iterator[Finding]:
    for log in file.operations("log"):
        given = input_of(log)
        made = activation(file.analysis, file.value(given)) if given is not None else None
        if given is None or made is None or made.op != "softmax" or not made.is_bare or not made.is_local:
            continue
        if any(isinstance(each, cst.Call) and file.qualname(each.func) == "torch.where" for each in file.ancestors(log.call)):
            continue  # something else is taken where a probability is 0
        if file.is_shown(log.call):
            continue  # nobody computes with it
        softmax = method_or_operation(file.analysis, made.node) if isinstance(made.node, cst.Call) else None
        logits = input_of(softmax) if softmax is not None else None
        before = activation(file.analysis, file.value(logits)) if logits is not None else None
        if before is not None and before.op in BOUNDED:
            continue  # of numbers between -1 and 1 no probability is small
        is_inside = given in (made.node, *file.ancestors(made.node))
        yield Finding(
            log.call,
            "probabilities below 1e-45 round to 0 before their logarithm is taken: it is minus infinity, and the gradient NaN",
            help="take `log_softmax` of the logits",
            fix=_fix(file, log, softmax, given, is_inside=is_inside) if softmax is not None else None,
            related=() if is_inside else ((made.node, "softmax is applied here"),),
            is_for_askers=is_a_mere_figure(file.analysis, log.call),
        )


def _fix(file: FileModel, log: Use, softmax: Use, given: cst.BaseExpression, *, is_inside: bool) -> Fix | None:
    logits, text = input_of(softmax), renamed(file.analysis, softmax, "torch.log_softmax", "torch.nn.LogSoftmax")
    dim, spelt = softmax.literal("dim"), file.spelling("torch.log_softmax", log.call)
    if logits is None or log.form is Form.MODULE:
        return None
    if text is None and isinstance(dim, int) and spelt is not None:  # a layer that has a name
        text = f"{spelt}({file.source(logits)}, dim={dim})"
    is_there = is_inside or isinstance(logits, cst.Name) and still_holds(file.analysis, logits, log.call)
    return rewrite.replace(log.call, text) if text is not None and is_there else None
