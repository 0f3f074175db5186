"""SlowFast as AlphAction changes it: a dilated last stage, laterals with a bias, frames chosen by their number."""

from __future__ import annotations

import torch
from mmaction.models.backbones.resnet3d_slowfast import ResNet3dSlowFast
from torch import Tensor, nn

from mmtube.registry import MODELS

from ..checkpoint import backbone_names, load_weights

DEPTHS = (50, 101, 152)


@MODELS.register_module()
class AlphActionSlowFast(ResNet3dSlowFast):
    """The backbone of AlphAction (arXiv 2004.07485), of which SEAL trains "the basic framework" on its clips.

    The pathways are MMAction2's. What AlphAction does otherwise: the last stage keeps the resolution (total stride 16)
    and dilates all of its blocks by 2; the laterals are 5x1x1 convolutions with a bias, without norm or activation;
    the pooling of the stem has no padding; the slow pathway takes frames from the middle of its steps, in training from
    a random place of the step, another one for each clip. Each is an argument, so that weights of MMAction2's SlowFast
    load too: ``fusion_kernel=7, lateral_bias=False, pool_padding=1`` for its 8x8, with ``dilation=1`` as its AVA models
    run.

    With the defaults and 64 frames at 25 per second this is SlowFast 4x16: 4 slow frames (7, 23, 39, 55 in testing)
    and 32 fast ones (0, 2, ...). 8x8 is ``resample_rate=8, speed_ratio=4``. Where only the 32 fast frames are read, as
    for tubelet features, ``resample_rate`` is 8 or 4 with the same ``speed_ratio``.

    Args:
        depth (int): 50, 101 or 152, of both pathways. Defaults to 50.
        resample_rate (int): Input frames per slow frame. Defaults to 16.
        speed_ratio (int): Fast frames per slow frame (alpha), a divisor of ``resample_rate``. Defaults to 8.
        channel_ratio (int): Slow channels per fast channel (the inverse of beta). Defaults to 8.
        dilation (int): Dilation of the last stage, whose stride is 1. Defaults to 2.
        fusion_kernel (int): Length in time of the laterals, odd. Defaults to 5.
        lateral_bias (bool): Whether laterals have a bias. Defaults to True.
        pool_padding (int): Spatial padding of the pooling of the stem. Defaults to 0.
        slow_offset (int | None): First slow frame in testing. Defaults to None, ``(resample_rate - 1) // 2``.
        slow_jitter (bool): Whether the first slow frame is drawn from ``resample_rate`` frames in training. Defaults
            to True.
        frozen_norm (bool): Whether batch norms keep their weights and statistics. Defaults to True, as AlphAction
            trains; without pre-trained weights say False.
        norm_eps (float): Epsilon of the batch norms. Defaults to 1e-5.
        frozen_stages (int): Stages of both pathways that do not learn, -1 none, 0 the stem. Defaults to -1.
        with_cp (bool): Whether blocks are computed again in the backward pass, which saves memory. Defaults to False.
        pretrained (str | None): Weights of a whole backbone, an address or a file; the names may begin with
            ``backbone.``, and what stands beside the backbone is left out. Defaults to None.

    Raises:
        ValueError: If an argument is out of range.
    """

    def __init__(
        self,
        depth: int = 50,
        resample_rate: int = 16,
        speed_ratio: int = 8,
        channel_ratio: int = 8,
        dilation: int = 2,
        fusion_kernel: int = 5,
        lateral_bias: bool = True,
        pool_padding: int = 0,
        slow_offset: int | None = None,
        slow_jitter: bool = True,
        frozen_norm: bool = True,
        norm_eps: float = 1e-5,
        frozen_stages: int = -1,
        with_cp: bool = False,
        pretrained: str | None = None,
    ) -> None:
        if depth not in DEPTHS:
            raise ValueError(f'depth must be one of {DEPTHS}, got {depth}')
        if speed_ratio < 1 or resample_rate < 1 or resample_rate % speed_ratio:
            raise ValueError(f'speed_ratio must divide resample_rate, got {speed_ratio} and {resample_rate}')
        if fusion_kernel % 2 == 0 or pool_padding not in (0, 1):
            raise ValueError(f'fusion_kernel must be odd and pool_padding 0 or 1, got {fusion_kernel}, {pool_padding}')
        slow_offset = (resample_rate - 1) // 2 if slow_offset is None else slow_offset
        if not 0 <= slow_offset < resample_rate:
            raise ValueError(f'slow_offset must lie in [0, {resample_rate}), got {slow_offset}')
        shared = dict(
            type='resnet3d',
            depth=depth,
            pretrained=None,
            conv1_stride_t=1,
            pool1_stride_t=1,
            spatial_strides=(1, 2, 2, 1),
            dilations=(1, 1, 1, dilation),
            norm_cfg=dict(type='BN3d', requires_grad=not frozen_norm, eps=norm_eps),
            norm_eval=frozen_norm,
            # A residual that starts at 0 would stay there: its frozen weight never grows.
            zero_init_residual=not frozen_norm,
            frozen_stages=frozen_stages,
            with_cp=with_cp,
        )
        super().__init__(
            pretrained=pretrained,
            resample_rate=resample_rate,
            speed_ratio=speed_ratio,
            channel_ratio=channel_ratio,
            slow_pathway=dict(
                conv1_kernel=(1, 7, 7), inflate=(0, 0, 1, 1), lateral=True, fusion_kernel=fusion_kernel, **shared
            ),
            fast_pathway=dict(conv1_kernel=(5, 7, 7), base_channels=64 // channel_ratio, lateral=False, **shared),
        )
        self.slow_offset = slow_offset
        self.slow_jitter = slow_jitter
        self.laterals = ('conv1_lateral', *self.slow_path.lateral_connections)
        for pathway in (self.slow_path, self.fast_path):
            pathway.maxpool.padding = (0, pool_padding, pool_padding)
        if lateral_bias:
            for name in self.laterals:  # MMAction2 builds them without and has no argument for it
                lateral = getattr(self.slow_path, name)
                lateral.conv.bias = nn.Parameter(torch.zeros(lateral.conv.out_channels))
                lateral.with_bias = True
            self.slow_path._freeze_stages()

    def init_weights(self) -> None:
        """Load ``pretrained``, or draw the weights as MMAction2 does.

        Raises:
            InputError: If the checkpoint is missing or of another backbone.
        """
        if self.pretrained is None:
            super().init_weights()
        else:
            load_weights(self, self.pretrained, ignored=('cls_head.', 'roi_head.'), prepare=backbone_names)

    def sample(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return the frames of the slow and of the fast pathway.

        Args:
            x (Tensor): (N, C, T, H, W), T a multiple of ``resample_rate``.

        Returns:
            tuple[Tensor, Tensor]: (N, C, T / resample_rate, H, W) and (N, C, T * speed_ratio / resample_rate, H, W).

        Raises:
            ValueError: If T is another.
        """
        step, fast_step = self.resample_rate, self.resample_rate // self.speed_ratio
        if x.shape[2] == 0 or x.shape[2] % step:
            raise ValueError(f'{x.shape[2]} frames are no multiple of the {step} per slow frame')
        fast = x[:, :, (fast_step - 1) // 2 :: fast_step]
        if not (self.training and self.slow_jitter):
            return x[:, :, self.slow_offset :: step], fast
        starts = torch.randint(step, (len(x),)).tolist()  # on the CPU: a GPU need not be waited for
        return torch.stack([clip[:, start::step] for clip, start in zip(x, starts)]), fast

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return the last maps of both pathways.

        Args:
            x (Tensor): (N, 3, T, H, W), normalised.

        Returns:
            tuple[Tensor, Tensor]: Slow (N, 2048, T / resample_rate, h, w) and fast (N, 256, T * speed_ratio /
            resample_rate, h, w), 16 pixels to a cell.
        """
        slow, fast = self.sample(x)
        slow, fast = (path.maxpool(path.conv1(y)) for path, y in ((self.slow_path, slow), (self.fast_path, fast)))
        for lateral, layer in zip(self.laterals, self.slow_path.res_layers):
            slow = torch.cat((slow, getattr(self.slow_path, lateral)(fast)), dim=1)
            slow, fast = getattr(self.slow_path, layer)(slow), getattr(self.fast_path, layer)(fast)
        return slow, fast
