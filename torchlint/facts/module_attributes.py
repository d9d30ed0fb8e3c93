"""The public attributes that torch's modules have of their own: names that no child may take."""

from torchlint.facts.asked import Asked
from torchlint.facts.classes import MODULE
from torchlint.facts.versions import presence


def _is_attribute(name: str) -> bool:
    return presence(f"{MODULE}.{name}") is not None


MODULE_ATTRIBUTES = Asked(_is_attribute)
"""Attributes of every `torch.nn.Module`: a child of such a name is never found, because the attribute is."""

MODULE_DICT_KEYS_TAKEN = Asked(_is_attribute, also="clear items keys pop update values".split())
"""Keys that `torch.nn.ModuleDict` refuses."""

REGISTERING_METHODS = frozenset({"add_module", "register_module"})
"""Methods of a module that register a child by name."""

COLLECTING_METHODS = frozenset("parameters named_parameters _apply __setattr__ modules named_modules children named_children".split())
"""Methods by which a class that overrides them can look after children that are not registered."""

RETURNING_THEIR_MODULE = frozenset(
    f"torch.nn.utils.{name}"
    for name in """weight_norm spectral_norm remove_weight_norm remove_spectral_norm parametrizations.weight_norm
    parametrizations.spectral_norm parametrizations.orthogonal""".split()
)
"""Functions that change a module and hand it back."""
