"""Which weights the old arguments of torchvision's models stand for."""

import pytest

from torchlint.facts.torchvision import Legacy, legacy


@pytest.mark.parametrize(
    ("path", "known"),
    [
        ("torchvision.models.resnet50", Legacy("IMAGENET1K_V1")),
        ("torchvision.models.resnet.resnet50", Legacy("IMAGENET1K_V1")),
        ("torchvision.models.vit_h_14", Legacy()),
        ("torchvision.models.detection.ssd300_vgg16", Legacy("COCO_V1", "IMAGENET1K_FEATURES")),
        ("torchvision.models.detection.faster_rcnn.fasterrcnn_resnet50_fpn", Legacy("COCO_V1", "IMAGENET1K_V1")),
        ("torchvision.models.quantization.resnet18", Legacy(translates=False)),
        ("torchvision.models.optical_flow.raft_large", Legacy(translates=False)),
    ],
)
def test_models_are_known_in_whichever_module_they_are_found(path: str, known: Legacy) -> None:
    assert legacy(path) == known


@pytest.mark.parametrize(
    "path", ["torchvision.models.get_model", "torchvision.models.detection.resnet50", "timm.models.resnet50", "torchvision.ops.nms"]
)
def test_nothing_is_known_of_other_functions(path: str) -> None:
    assert legacy(path) is None
