"""What torch_geometric and its companions read off the device to size a result, and by which arguments functions are told it instead.

Typed, since nothing that is read here declares them: how many graphs there are in a batch, or how many nodes in the largest, is a matter
of the values in `batch`, and Python needs the number to make the result.
"""

import re
from collections.abc import Collection

_PACKAGES = re.compile(r"^torch_(?:geometric|cluster|scatter)\.(?:\w+\.)*(\w+)$")
_TOLD: dict[str, dict[str, int]] = {
    **{f"global_{name}_pool": {"size": 2} for name in ("add", "mean", "max")},
    **{name: {"dim_size": 3} for name in ("scatter", "scatter_add", "scatter_sum", "scatter_mean", "scatter_max", "scatter_min")},
    **{name: {"max_num_nodes": 3, "batch_size": 4} for name in ("to_dense_batch", "to_dense_adj")},
    **{name: {"batch_size": 7} for name in ("knn", "knn_graph", "radius", "radius_graph")},
    "fps": {"batch_size": 4},
}
"""The arguments that say the sizes, with their positions."""

_POOLING = frozenset(
    """TopKPooling SAGPooling ASAPooling EdgePooling PANPooling MemPooling Set2Set GlobalAttention AttentionalAggregation SortAggregation
    SumAggregation MeanAggregation MaxAggregation SoftmaxAggregation GraphMultisetTransformer DeepSetsAggregation
    SetTransformerAggregation""".split()
)
"""Layers that make one thing of each graph, or choose among its nodes, and are told no size."""


def pools(path: str) -> bool:
    """Whether a layer of this class waits for a size whenever it is called."""
    found = _PACKAGES.match(path)
    return found is not None and found[1] in _POOLING


def reads_sizes(path: str, positional: int, named: Collection[str]) -> bool:
    """Whether a call of a function waits for a size that none of its arguments says."""
    found = _PACKAGES.match(path)
    told = _TOLD.get(found[1]) if found is not None else None
    return told is not None and positional + len(named) > 1 and not all(name in named or positional > at for name, at in told.items())
