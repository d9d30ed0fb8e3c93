"""Names that lie elsewhere today: what was built apart from torch or was private, and is neither any more."""

from torchlint.facts.changes.row import Change, Does, Kind, Recipe

_FUNCTORCH = "https://docs.pytorch.org/docs/stable/func.migrating.html"
_DATA = "https://docs.pytorch.org/docs/stable/data.html"
_SOURCE = "https://github.com/pytorch/pytorch/blob/main/torch"
_SIX = "https://github.com/pytorch/pytorch/pull/94709"


def _moved(name: str, since: str, to: str, first: str, reference: str, does: Does = Does.WARNS) -> Change:
    return Change(name, since, to, first, reference, kind=Kind.MOVED, does=does, recipes=(Recipe(to),))


ROWS = (
    *(
        _moved(f"functorch.{name}", "2.0", f"torch.func.{name}", "2.0", _FUNCTORCH)
        for name in ("vmap", "grad", "grad_and_value", "vjp", "jvp", "jacrev", "jacfwd", "hessian", "functionalize")
    ),
    Change(
        "torch.nn.utils.stateless.functional_call",
        "2.0",
        "torch.func.functional_call",
        "2.0",
        "https://docs.pytorch.org/docs/stable/generated/torch.nn.utils.stateless.functional_call.html",
        kind=Kind.MOVED,
        recipes=(Recipe("torch.func.functional_call"),),
    ),
    Change(
        "torch.utils._pytree._register_pytree_node",
        "2.2",
        "torch.utils._pytree.register_pytree_node",
        "2.2",
        f"{_SOURCE}/utils/_pytree.py",
        kind=Kind.MOVED,
        takes="cls, flatten_fn, unflatten_fn, to_str_fn=None, maybe_from_str_fn=None, *, serialized_type_name=None, "
        "to_dumpable_context=None, from_dumpable_context=None, flatten_with_keys_fn=None",
        recipes=(Recipe("torch.utils._pytree.register_pytree_node", when={"to_str_fn": (None,), "maybe_from_str_fn": (None,)}),),
    ),
    *(
        _moved(f"torch.utils.data._utils.collate.{name}", "1.11", f"torch.utils.data.{name}", "1.11", _DATA, Does.NOTHING)
        for name in ("default_collate", "default_convert")
    ),
    _moved(
        "torch.optim.lr_scheduler._LRScheduler",
        "2.0",
        "torch.optim.lr_scheduler.LRScheduler",
        "2.0",
        f"{_SOURCE}/optim/lr_scheduler.py",
        Does.NOTHING,
    ),
    Change(
        "torch.utils.serialization.load_lua",
        "0.4",
        "`torchfile`, which reads the files of Lua's Torch",
        "0.4",
        "https://github.com/pytorch/pytorch/releases/tag/v1.0.0",
        removed="1.0",
        does=Does.IS_GONE,
    ),
    *(
        Change(
            f"torch.utils.ffi.{name}",
            "0.4",
            "`torch.utils.cpp_extension`, which builds from C++",
            "0.4",
            "https://github.com/pytorch/pytorch/releases/tag/v1.0.0",
            removed="1.0",
            does=Does.IS_GONE,
        )
        for name in ("create_extension", "_wrap_function")
    ),
    *(
        Change(f"torch._six.{name}", "1.13", to, "0.4", _SIX, removed="2.0", kind=Kind.MOVED, does=Does.IS_GONE)
        for name, to in (
            ("string_classes", "`str`, or `(str, bytes)`"),
            ("int_classes", "`int`"),
            ("container_abcs", "`collections.abc`"),
            ("inf", "torch.inf"),
            ("nan", "torch.nan"),
            ("PY3", "`True`"),
        )
    ),
)
