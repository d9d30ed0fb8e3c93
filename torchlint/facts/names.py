"""Where public names live: longer spellings and re-exports, mapped to the one name that the rest of torchlint uses.

Those of torch 2.0 and later are read off its declarations; older ones, private ones and those of other libraries are typed here.
"""

import re

from torchlint.facts.versions import usual

_RENAMED = {
    "torch.autograd.set_grad_enabled": "torch.set_grad_enabled",
    "torch._tensor.Tensor": "torch.Tensor",
    "torch.tensor.Tensor": "torch.Tensor",
    "torch.amp.GradScaler": "torch.amp.GradScaler",
    "torch.amp.grad_scaler.GradScaler": "torch.amp.GradScaler",
    "lightning.pytorch.core.LightningModule": "lightning.pytorch.LightningModule",
}
_OTHERS = (
    (re.compile(r"^pytorch_lightning\.core(?:\.\w+)?\.LightningModule$"), "lightning.pytorch.LightningModule"),
    (re.compile(r"^pytorch_lightning(\..*)?$"), r"lightning.pytorch\1"),
    (re.compile(r"^lightning\.(LightningModule|Trainer|LightningDataModule)$"), r"lightning.pytorch.\1"),
    (re.compile(r"^lightning_fabric(\..*)?$"), r"lightning.fabric\1"),
    (re.compile(r"^lightning\.Fabric$"), "lightning.fabric.Fabric"),
)


def canonical(name: str) -> str:
    """The one spelling of a qualified name; anything unknown is returned as it is."""
    known = _RENAMED.get(name)
    if known is not None:
        return known
    if name.startswith("torch.") and name.count(".") > 1:
        return usual(name)
    if name.startswith(("pytorch_l", "lightning")):
        for pattern, replacement in _OTHERS:
            found, count = pattern.subn(replacement, name)
            if count:
                return found
    return name
