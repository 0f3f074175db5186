"""R(2+1)D-34 in the shape of the released weights of TSP."""

from __future__ import annotations

from mmaction.models.backbones.resnet2plus1d import ResNet2Plus1d
from mmaction.models.common.conv2plus1d import Conv2plus1d
from mmcv.cnn import ConvModule
from torch import nn

from mmtube.registry import MODELS

STEM_CHANNELS = 45
# The networks were ported from Caffe2, which has these.
NORM = dict(type='BN3d', eps=1e-3, momentum=0.9)


@MODELS.register_module()
class R2Plus1D34TSP(ResNet2Plus1d):
    """R(2+1)D-34 as pre-trained by TSP (arXiv 2011.11479), by IG-65M and by VMZ.

    MMAction2's R(2+1)D-34 has the same blocks. It differs in the stem (83 channels between its two convolutions, here
    45, and a pooling behind it), in the shortcuts (a factored convolution, here a plain one) and in the epsilon of the
    batch norms. (N, 3, T, H, W) become (N, 512, T / 8, H / 16, W / 16).

    ``tools/model_converters/tsp_to_mmtube.py`` converts released weights.

    Args:
        norm_eval (bool): Whether batch norms keep their statistics in training. Defaults to False.
        frozen_stages (int): Stages that do not learn: 0 the stem, -1 none. Defaults to -1.
        with_cp (bool): Whether blocks are computed again in the backward pass, which saves memory. Defaults to False.
        pretrained (str | None): Weights, an address or a file. Defaults to None.
    """

    def __init__(
        self,
        norm_eval: bool = False,
        frozen_stages: int = -1,
        with_cp: bool = False,
        pretrained: str | None = None,
    ) -> None:
        super().__init__(
            depth=34,
            pretrained=pretrained,
            pretrained2d=False,
            conv1_kernel=(3, 7, 7),
            conv1_stride_t=1,
            conv1_stride_s=2,
            spatial_strides=(1, 2, 2, 2),
            temporal_strides=(1, 2, 2, 2),
            inflate=(1, 1, 1, 1),
            inflate_style='3x3x3',
            conv_cfg=dict(type=Conv2plus1d, norm_cfg=NORM),
            norm_cfg=NORM,
            act_cfg=dict(type='ReLU', inplace=True),
            norm_eval=norm_eval,
            frozen_stages=frozen_stages,
            with_cp=with_cp,
            zero_init_residual=False,
        )
        for name in self.res_layers:
            first = getattr(self, name)[0]
            if first.downsample is not None:
                conv = first.downsample.conv
                first.downsample = ConvModule(
                    conv.in_channels, conv.out_channels, 1, stride=conv.stride, bias=False,
                    conv_cfg=dict(type='Conv3d'), norm_cfg=NORM, act_cfg=None,
                )  # fmt: skip

    def _make_stem_layer(self) -> None:
        """Two convolutions with a batch norm each, and no pooling."""
        shared = dict(bias=False, conv_cfg=dict(type='Conv3d'), norm_cfg=NORM, act_cfg=self.act_cfg)
        self.conv1 = nn.Sequential(
            ConvModule(3, STEM_CHANNELS, (1, 7, 7), stride=(1, 2, 2), padding=(0, 3, 3), **shared),
            ConvModule(STEM_CHANNELS, self.base_channels, (3, 1, 1), padding=(1, 0, 0), **shared),
        )
        self.maxpool = nn.Identity()
