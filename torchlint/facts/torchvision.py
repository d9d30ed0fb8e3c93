"""The models of torchvision that took `pretrained`, and which weights each of them loads for `pretrained=True`.

Typed, since nothing that is read here declares them: these are the pairs that torchvision 0.13 and later translate the old arguments by.
"""

import re
from dataclasses import dataclass

_KINDS = re.compile(r"^torchvision\.models\.(?:(detection|segmentation|video|quantization|optical_flow)\.)?(?:\w+\.)?(\w+)$")

_CLASSIFICATION = """alexnet convnext_tiny convnext_small convnext_base convnext_large densenet121 densenet161 densenet169 densenet201
efficientnet_b0 efficientnet_b1 efficientnet_b2 efficientnet_b3 efficientnet_b4 efficientnet_b5 efficientnet_b6 efficientnet_b7
efficientnet_v2_s efficientnet_v2_m efficientnet_v2_l googlenet inception_v3 maxvit_t mnasnet0_5 mnasnet0_75 mnasnet1_0 mnasnet1_3
mobilenet_v2 mobilenet_v3_large mobilenet_v3_small regnet_x_400mf regnet_x_800mf regnet_x_1_6gf regnet_x_3_2gf regnet_x_8gf regnet_x_16gf
regnet_x_32gf regnet_y_400mf regnet_y_800mf regnet_y_1_6gf regnet_y_3_2gf regnet_y_8gf regnet_y_16gf regnet_y_32gf resnet18 resnet34
resnet50 resnet101 resnet152 resnext50_32x4d resnext101_32x8d resnext101_64x4d wide_resnet50_2 wide_resnet101_2 shufflenet_v2_x0_5
shufflenet_v2_x1_0 shufflenet_v2_x1_5 shufflenet_v2_x2_0 squeezenet1_0 squeezenet1_1 swin_t swin_s swin_b swin_v2_t swin_v2_s swin_v2_b
vgg11 vgg11_bn vgg13 vgg13_bn vgg16 vgg16_bn vgg19 vgg19_bn vit_b_16 vit_b_32 vit_l_16 vit_l_32""".split()
_DETECTION = """fasterrcnn_resnet50_fpn fasterrcnn_resnet50_fpn_v2 fasterrcnn_mobilenet_v3_large_fpn fasterrcnn_mobilenet_v3_large_320_fpn
fcos_resnet50_fpn keypointrcnn_resnet50_fpn maskrcnn_resnet50_fpn maskrcnn_resnet50_fpn_v2 retinanet_resnet50_fpn retinanet_resnet50_fpn_v2
ssdlite320_mobilenet_v3_large""".split()
_SEGMENTATION = """deeplabv3_resnet50 deeplabv3_resnet101 deeplabv3_mobilenet_v3_large fcn_resnet50 fcn_resnet101
lraspp_mobilenet_v3_large""".split()
_VIDEO = "r3d_18 mc3_18 r2plus1d_18 mvit_v1_b mvit_v2_s s3d swin3d_t swin3d_s swin3d_b".split()
_WITHOUT = "vit_h_14 regnet_y_128gf".split()
_UNSAID = "raft_large raft_small".split()


@dataclass(frozen=True)
class Legacy:
    """Of one model, the names of the weights that its old arguments stand for; None where there are none, or it depends."""

    weights: str | None = None
    backbone: str | None = None
    translates: bool = True
    """Whether the old arguments mean just that; not where other arguments, or the version, decide."""


_ROWS: dict[tuple[str, str], Legacy] = {
    **{("", name): Legacy("IMAGENET1K_V1") for name in _CLASSIFICATION},
    **{("", name): Legacy() for name in _WITHOUT},
    **{("detection", name): Legacy("COCO_V1", "IMAGENET1K_V1") for name in _DETECTION},
    ("detection", "ssd300_vgg16"): Legacy("COCO_V1", "IMAGENET1K_FEATURES"),
    **{("segmentation", name): Legacy("COCO_WITH_VOC_LABELS_V1", "IMAGENET1K_V1") for name in _SEGMENTATION},
    **{("video", name): Legacy("KINETICS400_V1") for name in _VIDEO},
    **{("optical_flow", name): Legacy(translates=False) for name in _UNSAID},
}
_QUANTIZED = frozenset(
    """googlenet inception_v3 mobilenet_v2 mobilenet_v3_large resnet18 resnet50 resnext101_32x8d shufflenet_v2_x0_5
    shufflenet_v2_x1_0""".split()
)
"""Which weights these load depends on `quantize`."""


def legacy(path: str) -> Legacy | None:
    """What is known of a function of `torchvision.models`, in whichever module it is found; None for anything else."""
    found = _KINDS.match(path)
    if found is None:
        return None
    kind, name = found[1] or "", found[2]
    if kind == "quantization":
        return Legacy(translates=False) if name in _QUANTIZED else None
    return _ROWS.get((kind, name))
