"""What torch's functions and tensor methods return, in the terms of the flow model. Read against torch 2.13; the names hold from 1.8 on."""

FACTORIES = frozenset(
    f"torch.{name}"
    for name in """zeros ones empty full eye arange linspace logspace tensor rand randn randint randperm normal zeros_like ones_like
    empty_like full_like rand_like randn_like randint_like empty_strided tril_indices triu_indices bartlett_window
    blackman_window hamming_window hann_window kaiser_window complex polar sparse_coo_tensor bernoulli multinomial poisson
    range""".split()
)
"""Functions that make a tensor of their own: its memory is shared with nothing."""

ALIASING_CONSTRUCTORS = frozenset(f"torch.{name}" for name in "from_numpy as_tensor asarray frombuffer as_strided from_dlpack".split())
"""Constructors that share memory with their argument, or have no device of their own choice."""

_OPERATIONS = """
    abs absolute acos acosh add addbmm addcdiv addcmul addmm addmv addr all allclose_ amax amin aminmax_ angle any arccos arcsin
    arctan argmax argmin argsort asin asinh atan atan2 atanh baddbmm bernoulli bincount bitwise_and bitwise_not bitwise_or
    bitwise_xor bmm broadcast_to bucketize cat cdist ceil celu chunk_ clamp clamp_max clamp_min clip clone column_stack concat
    concatenate conj contiguous copysign corrcoef cos cosh cosine_similarity count_nonzero cov cross cummax_ cumprod cumsum
    deg2rad det detach diag diag_embed diagonal diff digamma dist div divide dot dropout dstack einsum eq equal_ erf erfc erfinv
    exp exp2 expand expand_as expm1 fft fill flatten flip fliplr flipud float_power floor floor_divide fmax fmin fmod frac gather
    ge ger grid_sampler gt hardshrink heaviside histc hstack hypot index_add index_copy index_fill index_put index_select inner
    inverse isclose isfinite isinf isnan kron layer_norm le lerp lgamma log log10 log1p log2 log_softmax logaddexp logcumsumexp
    logdet logical_and logical_not logical_or logical_xor logit logsumexp lt masked_fill masked_scatter masked_select matmul
    matrix_exp matrix_power maximum mean mish mm moveaxis movedim mul multiply mv mvlgamma nan_to_num nanmean nansum narrow ne
    neg negative nonzero norm not_equal one_hot outer permute pinverse polygamma positive pow prelu prod quantile rad2deg ravel
    real reciprocal relu remainder renorm repeat repeat_interleave reshape reshape_as roll rot90 round rrelu rsqrt scatter
    scatter_add scatter_reduce select selu sgn sigmoid sign sin sinc sinh softmax softplus sqrt square squeeze stack std sub
    subtract sum swapaxes swapdims t take take_along_dim tan tanh tensordot tile trace transpose trapz tril triu true_divide
    trunc type_as unflatten unique unsqueeze var vdot view view_as vstack where xlogy zero float double half bfloat16 masked
    nanmedian index_put relu6 gelu silu elu leaky_relu hardtanh hardswish hardsigmoid logsigmoid softsign tanhshrink softmin
    gumbel_softmax pad interpolate linear bilinear conv1d conv2d conv3d conv_transpose1d conv_transpose2d conv_transpose3d
    embedding embedding_bag batch_norm instance_norm group_norm normalize max_pool1d max_pool2d max_pool3d avg_pool1d avg_pool2d
    avg_pool3d adaptive_avg_pool1d adaptive_avg_pool2d adaptive_avg_pool3d adaptive_max_pool1d adaptive_max_pool2d unfold fold
    pixel_shuffle pixel_unshuffle upsample grid_sample affine_grid scaled_dot_product_attention pairwise_distance alpha_dropout
    dropout1d dropout2d dropout3d feature_alpha_dropout glu lp_pool2d local_response_norm channel_shuffle"""
OPERATIONS = frozenset(name for name in _OPERATIONS.split() if not name.endswith("_"))
"""Functions of `torch` and methods of tensors that return one tensor; it carries a graph when an operand does."""

LOSSES = frozenset(
    """cross_entropy nll_loss mse_loss l1_loss smooth_l1_loss huber_loss binary_cross_entropy binary_cross_entropy_with_logits
    kl_div ctc_loss cosine_embedding_loss hinge_embedding_loss margin_ranking_loss multi_margin_loss multilabel_margin_loss
    multilabel_soft_margin_loss poisson_nll_loss soft_margin_loss triplet_margin_loss triplet_margin_with_distance_loss
    gaussian_nll_loss""".split()
)
"""Functions of `torch.nn.functional` that reduce to one element unless `reduction` (or `reduce`) says otherwise."""

REDUCTIONS = frozenset("sum mean prod norm logsumexp nansum nanmean std var median".split())
"""Methods that leave one element when they are given no dimension."""

PAIRS = frozenset("max min sort topk median mode kthvalue cummax cummin".split())
"""Methods that yield values and indices when a dimension is given (`sort` and `topk` always); the indices carry no graph."""

WITHOUT_GRAPH = frozenset(
    """argmax argmin argsort eq ne lt le gt ge equal isnan isinf isfinite isclose all any nonzero count_nonzero bucketize
    searchsorted bincount logical_and logical_or logical_not logical_xor one_hot long int bool short byte sign floor ceil
    unique_consecutive multinomial bernoulli histc detach numel bitwise_and bitwise_or bitwise_not""".split()
)
"""Operations whose result never carries a graph that matters: indices, truth values, integers, detached tensors."""

CASTS = frozenset(
    "long int bool short byte float double half bfloat16 type type_as contiguous clone requires_grad_ pin_memory squeeze unsqueeze".split()
)

VIEWS = frozenset(
    """view reshape permute transpose t squeeze unsqueeze expand expand_as flatten narrow select diagonal movedim swapaxes
    unflatten view_as chunk split unbind""".split()
)
"""Methods whose result may share memory with the tensor."""

NUMBERS = frozenset(
    """item numel nelement dim ndimension size stride element_size storage_offset data_ptr get_device __len__ is_contiguous
    is_floating_point is_pinned""".split()
)
"""Tensor methods that return plain Python values."""

TENSOR_EVIDENCE = frozenset(
    """backward detach detach_ requires_grad_ retain_grad masked_fill masked_fill_ logsumexp argmax softmax log_softmax
    unsqueeze unsqueeze_""".split()
)
"""Methods that nothing but a tensor has in practice: calling one proves the receiver."""

LISTS_OF_TENSORS = frozenset("chunk split unbind tensor_split hsplit vsplit".split())

SYNCHRONISING_METHODS = frozenset("item cpu numpy tolist".split())

MODULE_EVIDENCE = frozenset("parameters named_parameters eval train named_modules named_children register_forward_hook".split())
"""Methods that prove an unknown value a module."""

NUMERIC_PACKAGES = ("math.", "time.", "random.", "statistics.", "cmath.", "psutil.")
ARRAY_PACKAGES = ("numpy.", "scipy.", "sklearn.", "pandas.")
