"""Where torch's public names live: longer spellings and re-exports, mapped to the one name that the rest of torchlint uses.

Holds for torch 1.8 to 2.13.
"""

import re

_RENAMED = {
    "torch.nn.parallel.DataParallel": "torch.nn.DataParallel",
    "torch.nn.parallel.data_parallel.DataParallel": "torch.nn.DataParallel",
    "torch.nn.parallel.distributed.DistributedDataParallel": "torch.nn.parallel.DistributedDataParallel",
    "torch.autograd.no_grad": "torch.no_grad",
    "torch.autograd.enable_grad": "torch.enable_grad",
    "torch.autograd.set_grad_enabled": "torch.set_grad_enabled",
    "torch.autograd.inference_mode": "torch.inference_mode",
    "torch._tensor.Tensor": "torch.Tensor",
    "torch.tensor.Tensor": "torch.Tensor",
    "torch.nn.parameter.Parameter": "torch.nn.Parameter",
    "torch.nn.parameter.Buffer": "torch.nn.Buffer",
    "torch.nn.modules.Module": "torch.nn.Module",
    "torch.cuda.amp.grad_scaler.GradScaler": "torch.cuda.amp.GradScaler",
    "torch.amp.grad_scaler.GradScaler": "torch.amp.GradScaler",
    "lightning.pytorch.core.LightningModule": "lightning.pytorch.LightningModule",
    "torch.optim.optimizer.Optimizer": "torch.optim.Optimizer",
}
_PRIVATE = (
    (re.compile(r"^torch\.nn\.modules\.\w+\.(\w+)$"), r"torch.nn.\1"),
    (re.compile(r"^torch\.optim\.(?!lr_scheduler|swa_utils)[a-z_]+\.([A-Z]\w*)$"), r"torch.optim.\1"),
    (re.compile(r"^torch\.utils\.data\.(?:dataloader|dataset|sampler|distributed)\.([A-Z]\w*)$"), r"torch.utils.data.\1"),
    (re.compile(r"^torch\.autograd\.grad_mode\.(\w+)$"), r"torch.\1"),
    (re.compile(r"^torch\.functional\.(\w+)$"), r"torch.\1"),
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
    if name.startswith(
        ("torch.nn.modules.", "torch.optim.", "torch.utils.data.", "torch.autograd.", "torch.functional.", "pytorch_l", "lightning")
    ):
        for pattern, replacement in _PRIVATE:
            found, count = pattern.subn(replacement, name)
            if count:
                return found
    return name
