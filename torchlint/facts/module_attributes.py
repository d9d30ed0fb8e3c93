"""The public attributes that torch's modules have of their own: names that no child may take. Read off torch 2.13."""

MODULE_ATTRIBUTES = frozenset(
    """T_destination add_module apply bfloat16 buffers call_super_init children compile cpu cuda double dump_patches eval extra_repr
    float forward get_buffer get_extra_state get_parameter get_submodule half ipu load_state_dict modules mtia named_buffers
    named_children named_modules named_parameters parameters register_backward_hook register_buffer register_forward_hook
    register_forward_pre_hook register_full_backward_hook register_full_backward_pre_hook register_load_state_dict_post_hook
    register_load_state_dict_pre_hook register_module register_parameter register_state_dict_post_hook
    register_state_dict_pre_hook requires_grad_ set_extra_state set_submodule share_memory state_dict to to_empty train training
    type xpu zero_grad""".split()
)
"""Attributes of every `torch.nn.Module`: a child of such a name is never found, because the attribute is."""

MODULE_DICT_KEYS_TAKEN = MODULE_ATTRIBUTES | frozenset("clear items keys pop update values".split())
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
