"""Transforms of torchvision that it has no more. Versions are those of the torch that the version of torchvision was built for."""

from torchlint.facts.changes.row import Change, Does, Recipe

ROWS = tuple(
    Change(
        f"torchvision.transforms.{name}",
        "0.4",
        f"torchvision.transforms.{to}",
        "0.4",
        "https://github.com/pytorch/vision/pull/5386",
        removed="1.11",
        release="torchvision 0.12",
        does=Does.IS_GONE,
        recipes=(Recipe(f"torchvision.transforms.{to}"),),
    )
    for name, to in (("Scale", "Resize"), ("RandomSizedCrop", "RandomResizedCrop"))
)
