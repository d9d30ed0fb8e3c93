"""What the rules about devices share beside their files: what is thrown away, grows, is read one by one, or is not waited for."""

import libcst as cst
import pytest
from probing import model

from torchlint.program.analysis import FileAnalysis
from torchlint.rules.device._clocks import unawaited_spans
from torchlint.rules.device._discarded import discarded
from torchlint.rules.device._each_batch import EachBatch
from torchlint.rules.device._elements import element_reads, is_costly
from torchlint.rules.device._fallbacks import looks_for_accelerator
from torchlint.rules.device._forward import Goal, reads
from torchlint.rules.device._growth import growths
from torchlint.rules.device._host_copies import unawaited
from torchlint.rules.device._hot import HotLoops
from torchlint.rules.device._long import is_long


def statements(file: FileAnalysis) -> list[cst.Call]:
    return [each.value for each in file.nodes(cst.Expr) if isinstance(each.value, cst.Call)]


@pytest.mark.parametrize(
    ("statement", "is_kept"),
    [("x.clamp(0, 1)", True), ("x.clamp(y, 1)", False), ("x.to(device)", False), ("x.unsqueeze(0)", False)],
)
def test_a_result_surely_has_the_kind_of_the_tensor_only_where_plain_numbers_come_in(statement: str, is_kept: bool) -> None:
    file = model(f"def f(y, device):\n    x = torch.rand(3, dtype=torch.float32)\n    {statement}\n    return x\n")
    (found,) = discarded(file, iter(statements(file)))
    assert found.keeps_kind is is_kept


@pytest.mark.parametrize(
    "body",
    [
        "x.to('cuda')",
        "try:\n        x.add(1)\n    finally:\n        pass\n    x.sum()",
        "x.add_(1)\n    x.sum()",
        "x.add(1, out=x)\n    x.sum()",
    ],
)
def test_what_wakes_a_device_is_tried_or_writes_is_not_thrown_away(body: str) -> None:
    file = model(f"def f():\n    x = torch.rand(3)\n    {body}\n")
    first = statements(file)[:1]
    assert list(discarded(file, iter(first))) == []


@pytest.mark.parametrize(
    ("header", "long"),
    [
        ("for i in range(len(x)):", True),
        ("for i in range(x.size(0)):", True),
        ("for i in range(0, x.shape[0], 4):", True),
        ("for i in range(500):", True),
        ("for i in range(4):", False),
        ("for i in range(x.shape[1]):", False),
        ("for i in range(len(names)):", False),
        ("for i in names:", False),
        ("for i in torch.utils.data.DataLoader(names):", True),
        ("while names:", False),
    ],
)
def test_loops_over_rows_and_loaders_are_long(header: str, long: bool) -> None:
    file = model(f"def f(x: torch.Tensor, names):\n    {header}\n        print(1)\n")
    loops: list[cst.For | cst.While] = [*file.nodes(cst.For), *file.nodes(cst.While)]
    assert [is_long(file, HotLoops(file), loop) for loop in loops] == [long]


def test_a_tensor_that_grows_is_known_with_what_it_begins_with() -> None:
    file = model(
        """
        def f(x: torch.Tensor):
            out = torch.zeros(0, 3)
            for i in range(len(x)):
                out = torch.cat([out, x[i : i + 1], x[:1]], dim=0)
            return out
        """
    )
    (growth,) = growths(file)
    assert growth.start is not None and file.source(growth.start.value) == "torch.zeros(0, 3)"
    assert [file.source(each) for each in growth.added] == ["x[i : i + 1]", "x[:1]"] and growth.goes_on_behind


@pytest.mark.parametrize("use", ["print(out.shape)", "out = x[:1]", "y = out * 2"])
def test_a_tensor_that_the_loop_looks_at_or_starts_over_does_not_count_as_growing(use: str) -> None:
    loop = f"for i in range(len(x)):\n        out = torch.cat([out, x[i : i + 1]])\n        {use}\n"
    assert list(growths(model(f"def f(x: torch.Tensor, out):\n    {loop}    return out\n"))) == []


@pytest.mark.parametrize(
    ("tensor", "costly"),
    [("x", True), ("torch.rand(3)", False), ("torch.tensor([1, 2])", False), ("torch.rand(1000)", True), ("y", False), ("x.sum()", False)],
)
def test_only_tensors_of_more_than_a_few_elements_are_costly_to_go_through(tensor: str, costly: bool) -> None:
    file = model(f"def f(x: torch.Tensor, y):\n    probe = {tensor}\n")
    assert is_costly(file, next(iter(file.nodes(cst.Assign))).value) is costly


@pytest.mark.parametrize(
    ("loop", "read"),
    [
        ("for v in x:\n        total += v.item()", "v.item()"),
        ("for i, v in enumerate(x):\n        total += float(v)", "float(v)"),
        ("for i in range(len(x)):\n        total += int(x[i])", "int(x[i])"),
        ("for i in range(len(x)):\n        for j in range(x.size(0)):\n            total += x[i, j] * 2", "x[i, j]"),
        ("for v in x:\n        total += v", None),
        ("for v in x:\n        print(v.item())", None),
        ("for i in range(len(x)):\n        total += x[i] * 2", None),
    ],
)
def test_reads_of_single_elements_are_told_from_work_on_rows(loop: str, read: str | None) -> None:
    file = model(f"def f(x: torch.Tensor, total):\n    {loop}\n")
    assert [file.source(node) for _, _, node in element_reads(file)] == ([read] if read is not None else [])


@pytest.mark.parametrize(
    ("lines", "found"),
    [
        (["y = x.cuda().to('cpu', non_blocking=True)", "return y.numpy()"], True),
        (["y = x.cuda().to('cpu', non_blocking=True)", "torch.cuda.synchronize()", "return y.numpy()"], False),
        (["y = x.cuda().to('cpu', non_blocking=True)", "return y.shape"], False),
        (["y = x.cuda().to('cuda', non_blocking=True)", "return y.tolist()"], False),
        (["kept = []", "kept.append(x.cuda().to('cpu', non_blocking=True))", "return torch.cat(kept)"], True),
    ],
)
def test_copies_to_the_host_that_are_read_without_a_wait(lines: list[str], found: bool) -> None:
    file = model("def f(x: torch.Tensor):\n    " + "\n    ".join(lines) + "\n")
    assert bool(list(unawaited(file))) is found


@pytest.mark.parametrize(("between", "found"), [("pass", True), ("torch.cuda.synchronize()", False), ("y.sum().item()", False)])
def test_a_span_is_too_short_unless_something_waits_before_its_end(between: str, found: bool) -> None:
    file = model(
        f"""
        import time
        def f(x: torch.Tensor):
            x = x.cuda()
            start = time.time()
            y = torch.matmul(x, x)
            {between}
            return time.time() - start
        """
    )
    assert bool(list(unawaited_spans(file))) is found


@pytest.mark.parametrize(
    ("lines", "goal"),
    [
        (["return y / y.max().item()"], Goal.TENSOR),
        (["n = float(y.norm())", "return y * (1 - n)"], Goal.TENSOR),
        (["print(y.mean().item())", "return y"], Goal.SHOWN),
        (["self.last = y.mean().item()", "return y"], Goal.NOTED),
        (["n = int(y.max())", "return y[:n]"], None),
        (["return y, y.max().item()"], None),
    ],
)
def test_what_a_forward_reads_a_number_for(lines: list[str], goal: Goal | None) -> None:
    head = "class M(nn.Module):\n    def __init__(self):\n        super().__init__()\n        self.layer = nn.Linear(3, 3)\n"
    body = "\n        ".join(["def forward(self, x):", "    y = self.layer(x)", *(f"    {line}" for line in lines)])
    found = [each for _, each in reads(model(f"{head}\n    {body.replace(chr(10) + '        ', chr(10) + '    ')}\n"))]
    assert found == ([goal] if goal is not None else [])


@pytest.mark.parametrize(("guard", "found"), [("if True", True), ("if step % 10 == 0", False), ("for _ in range(2)", False)])
def test_what_is_run_for_every_batch(guard: str, found: bool) -> None:
    file = model(
        f"""
        def f(model: nn.Module, loader, optimizer):
            for step, x in enumerate(loader):
                loss = model(x.cuda()).sum()
                loss.backward()
                optimizer.step()
                {guard}:
                    torch.cuda.empty_cache()
        """
    )
    (call,) = file.calls("torch.cuda.empty_cache")
    assert (EachBatch(file).around(call) is not None) is found


def test_a_program_looks_for_an_accelerator() -> None:
    assert looks_for_accelerator(model("ok = torch.cuda.is_available()\n"))
    assert not looks_for_accelerator(model("x = torch.zeros(3).cuda()\n"))
