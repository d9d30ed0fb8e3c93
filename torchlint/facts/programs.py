"""By what a program shows how it runs: what seeds it, starts its processes, spreads it over devices, or takes its training loop over.

That a function seeds or starts something is said by no declaration; only which names of torch there are is read.
"""

from torchlint.facts.asked import Asked
from torchlint.facts.versions import presence

_SEEDING = ("manual_seed", "manual_seed_all")


def _seeds_torch(path: str) -> bool:
    return path.startswith("torch.") and path.rpartition(".")[2] in _SEEDING and presence(path) is not None


_SEEDING_ALL = """lightning.pytorch.seed_everything lightning.fabric.seed_everything lightning.seed_everything transformers.set_seed
    transformers.trainer_utils.set_seed transformers.enable_full_determinism accelerate.utils.set_seed ignite.utils.manual_seed
    monai.utils.set_determinism""".split()
"""Functions of other libraries that seed Python's, NumPy's and torch's generators together."""

SEEDING = {
    "torch": Asked(_seeds_torch, also=[*_SEEDING_ALL, "torch.default_generator.manual_seed"], never=["torch.Generator.manual_seed"]),
    "numpy": Asked(lambda path: path == "numpy.random.seed", also=_SEEDING_ALL),
    "random": Asked(lambda path: path == "random.seed", also=_SEEDING_ALL),
}
"""For each library what seeds its global generator. A generator of its own seeds nothing but itself."""

_WRITTEN_ALL = (*dict.fromkeys(path.rpartition(".")[2] for path in _SEEDING_ALL if not path.endswith(_SEEDING)), "utils.manual_seed")

SEEDING_WRITTEN = {
    "torch": (*_SEEDING, *_WRITTEN_ALL),
    "numpy": ("random.seed", *_WRITTEN_ALL),
    "random": ("random.seed", *_WRITTEN_ALL),
}
"""How such a call ends, whatever was imported."""

LAUNCHING = frozenset({"torch.multiprocessing.spawn", "torch.distributed.init_process_group"})
"""What makes a program one of several processes."""

DISTRIBUTING = LAUNCHING | frozenset(
    """torch.nn.parallel.DistributedDataParallel torch.distributed.fsdp.FullyShardedDataParallel torch.distributed.fsdp.fully_shard
    torch.distributed.init_device_mesh torch.distributed.device_mesh.init_device_mesh apex.parallel.DistributedDataParallel
    horovod.torch.init""".split()
)
"""What there is in programs whose processes work on one model together."""

MANAGING = frozenset(
    """accelerate.Accelerator accelerate.accelerator.Accelerator lightning.fabric.Fabric lightning.pytorch.Trainer
    lightning.pytorch.LightningModule transformers.Trainer transformers.Seq2SeqTrainer transformers.trainer.Trainer trl.SFTTrainer
    trl.DPOTrainer trl.PPOTrainer ignite.engine.Engine deepspeed.initialize""".split()
)
"""Frameworks that start the processes, move the data and wrap the model."""

ACCELERATORS = ("cuda", "mps", "xpu", "hpu", "npu", "gpu", "gpus", "CUDA_VISIBLE_DEVICES")
"""Words by which a program speaks of an accelerator: names of devices, and what its own settings call them."""
