"""Arguments that go, have another name, or are asked for; and operations that took numbers ahead of tensors."""

from torchlint.facts.changes.row import Change, Does, Kind, Recipe

_DOCS = "https://docs.pytorch.org/docs/stable/generated"
_LOSSES = (
    *("BCELoss", "BCEWithLogitsLoss", "CosineEmbeddingLoss", "CrossEntropyLoss", "HingeEmbeddingLoss", "KLDivLoss", "L1Loss", "MSELoss"),
    *("MarginRankingLoss", "MultiLabelMarginLoss", "MultiLabelSoftMarginLoss", "MultiMarginLoss", "NLLLoss", "NLLLoss2d"),
    *("PoissonNLLLoss", "SmoothL1Loss", "SoftMarginLoss", "TripletMarginLoss", "functional.binary_cross_entropy"),
    *("functional.binary_cross_entropy_with_logits", "functional.cosine_embedding_loss", "functional.cross_entropy"),
    *("functional.hinge_embedding_loss", "functional.kl_div", "functional.l1_loss", "functional.margin_ranking_loss"),
    *("functional.mse_loss", "functional.multi_margin_loss", "functional.multilabel_margin_loss"),
    *("functional.multilabel_soft_margin_loss", "functional.nll_loss", "functional.poisson_nll_loss", "functional.smooth_l1_loss"),
    *("functional.soft_margin_loss", "functional.triplet_margin_loss"),
)
_REDUCTIONS = {"mean": ((True, None), (True, None)), "sum": ((False,), (True, None)), "none": ((True, False, None), (False,))}
"""What `size_average` and `reduce` mean together; what is left out or None counts as True. They beat a `reduction` beside them."""

_SCHEDULERS = (
    *("ConstantLR", "CosineAnnealingLR", "CosineAnnealingWarmRestarts", "CyclicLR", "ExponentialLR", "LRScheduler", "LambdaLR"),
    *("LinearLR", "MultiStepLR", "MultiplicativeLR", "OneCycleLR", "PolynomialLR", "ReduceLROnPlateau", "SequentialLR", "StepLR"),
)

ROWS = (
    *(
        Change(
            f"torch.nn.{name}",
            "1.0",
            "`reduction=`",
            "1.0",
            f"{_DOCS}/torch.nn.{name}.html",
            kind=Kind.ARGUMENT,
            given=("size_average", "reduce"),
            recipes=(
                Recipe(f"torch.nn.{name}", when={"size_average": (None,), "reduce": (None,)}, drops=("size_average", "reduce")),
                *(
                    Recipe(
                        f"torch.nn.{name}",
                        when={"size_average": averaged, "reduce": reduced},
                        drops=("size_average", "reduce", "reduction"),
                        adds=(f'reduction="{reduction}"',),
                    )
                    for reduction, (averaged, reduced) in _REDUCTIONS.items()
                ),
            ),
        )
        for name in _LOSSES
    ),
    *(
        Change(
            f"torch.optim.lr_scheduler.{name}",
            "2.2",
            "`get_last_lr()` to see the rate",
            "1.4",
            "https://github.com/pytorch/pytorch/pull/111302",
            removed="2.7",
            kind=Kind.ARGUMENT,
            does=Does.RAISES,
            given=("verbose",),
            recipes=(
                Recipe(f"torch.optim.lr_scheduler.{name}", when={"verbose": (False,)}, drops=("verbose",)),
                Recipe(f"torch.optim.lr_scheduler.{name}", drops=("verbose",), is_same=False),
            ),
        )
        for name in _SCHEDULERS
    ),
    *(
        Change(
            f"torch.{name}",
            "2.0",
            "`correction=`",
            "2.0",
            f"{_DOCS}/torch.{name}.html",
            kind=Kind.ARGUMENT,
            does=Does.NOTHING,
            takes="input, dim=None, *, unbiased=True, keepdim=False, correction=1, out=None",
            is_method=not name.endswith("_mean"),
            given=("unbiased",),
            recipes=(
                Recipe(
                    f"torch.{name}",
                    when={"unbiased": (True, False)},
                    renames={"unbiased": "correction"},
                    values={"unbiased": {True: "1", False: "0"}},
                ),
            ),
        )
        for name in ("var", "std", "var_mean", "std_mean")
    ),
    Change(
        "torch.meshgrid",
        "1.10",
        '`indexing="ij"`, which is what it does',
        "1.10",
        f"{_DOCS}/torch.meshgrid.html",
        kind=Kind.ARGUMENT,
        takes="*tensors, indexing=None",
        when={"indexing": (None,)},
        recipes=(Recipe("torch.meshgrid", adds=('indexing="ij"',)),),
    ),
)

LEGACY = {
    "add": ("alpha other",),
    "sub": ("alpha other",),
    "addcmul": ("value tensor1 tensor2",),
    "addcdiv": ("value tensor1 tensor2",),
    "addmm": ("beta alpha mat1 mat2", "beta mat1 mat2"),
    "addmv": ("beta alpha mat vec", "beta mat vec"),
    "addr": ("beta alpha vec1 vec2", "beta vec1 vec2"),
    "baddbmm": ("beta alpha batch1 batch2", "beta batch1 batch2"),
    "addbmm": ("beta alpha batch1 batch2", "beta batch1 batch2"),
}
"""As methods take them. As functions they take `input` behind `beta`, or first where there is none."""
