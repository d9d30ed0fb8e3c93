"""Which of torch's constructors take `device=`, and how exact they are. Read off torch 2.13; the names hold from 1.8 on.

Left out is what fills on the CPU in any case, and then copies: `torch.tensor`, `as_tensor`, `asarray`, `from_numpy`, the old
`torch.Tensor` and its like. With `device=` they copy all the same.
"""

EXACT_FACTORIES = frozenset(
    f"torch.{name}"
    for name in """zeros ones empty full eye scalar_tensor zeros_like ones_like empty_like full_like empty_strided tril_indices
    triu_indices""".split()
)
"""Constructors whose elements are the same on every device, bit for bit."""

ROUNDED_FACTORIES = frozenset(
    f"torch.{name}"
    for name in "arange range linspace logspace bartlett_window blackman_window hamming_window hann_window kaiser_window".split()
)
"""Constructors that compute their elements: fractions may differ in the last bit between devices."""

DRAWN_FACTORIES = frozenset(f"torch.{name}" for name in "rand randn randint randperm normal rand_like randn_like randint_like".split())
"""Constructors that draw from the random generator of the device that they run on."""

DEVICE_FACTORIES = EXACT_FACTORIES | ROUNDED_FACTORIES | DRAWN_FACTORIES
"""Constructors that fill a tensor where it is to live."""

CONSTANT_FACTORIES = frozenset(
    f"torch.{name}" for name in "zeros ones empty eye zeros_like ones_like empty_like tril_indices triu_indices".split()
)
"""Constructors whose elements every type can hold: building and then casting gives what building with that type gives."""
