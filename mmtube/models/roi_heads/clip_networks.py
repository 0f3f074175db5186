"""What the clip classifier asks of a network, for detectors of MMAction2 and for ours."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import torch
from mmengine.config import Config
from mmengine.registry import MODELS as ROOT_MODELS
from mmengine.registry import DefaultScope
from mmengine.structures import InstanceData
from torch import nn

from mmtube.errors import InputError, MissingCheckpointError
from mmtube.models.checkpoint import load_weights
from mmtube.registry import MODELS

from .action_config import ClipFormat, config_name, name_columns, read_clip_format, read_config, resolve_checkpoint
from .clip_windows import nearest_inds
from .interaction import OBJECT

# mmaction and mmdet, which these import, take seconds to come up, and a checkpoint may be missing.
if TYPE_CHECKING:
    from mmaction.structures import ActionDataSample

    from .clip_action_detector import ClipActionDetector
    from .clip_features import ClipFeatures

VIDEO = 'film'  # the memory of one film at a time needs no name
NO_OBJECTS = 'ran without objects: '
# Images (H, W, 3) uint8 BGR to boxes (k, 4) in pixels and scores (k,) of each.
FindObjects = Callable[[Sequence[np.ndarray]], list[tuple[np.ndarray, np.ndarray]]]


@dataclass(eq=False)
class Clip:
    """One clip and the people in it, of whom there are m with B boxes each.

    Args:
        images (np.ndarray): (T, H, W, 3) uint8 RGB.
        key_s (float): Key time in seconds of film time.
        frame_times_s (np.ndarray): (T,) float64 times of the frames.
        boxes_px (np.ndarray): (m, 4) float32 at the key time, in pixels of ``images``.
        scores (np.ndarray): (m,) float32 confidence of the boxes.
        tube_boxes_px (np.ndarray): (m, B, 4) float32 over time; B is 0 where the network asks for the key box alone.
        tube_valid (np.ndarray): (m, B) bool.
        box_times_s (np.ndarray): (B,) float64 times of the boxes over time.
    """

    images: np.ndarray
    key_s: float
    frame_times_s: np.ndarray
    boxes_px: np.ndarray
    scores: np.ndarray
    tube_boxes_px: np.ndarray
    tube_valid: np.ndarray
    box_times_s: np.ndarray

    def inputs(self) -> torch.Tensor:
        """(3, T, H, W) uint8."""
        return torch.from_numpy(self.images).permute(3, 0, 1, 2)

    def key_image(self) -> np.ndarray:
        """(H, W, 3) uint8 BGR frame nearest to the key time, as detectors take it."""
        nearest = nearest_inds(self.frame_times_s, np.array([self.key_s]))[0]
        return np.ascontiguousarray(self.images[nearest][..., ::-1])


class ClipNetwork(ABC):
    """A network that looks at clips of one film in order and then tells the scores.

    Args:
        network (nn.Module): With its weights, in testing mode.

    Attributes:
        num_classes (int): Columns of the head.
        background_class (bool): Whether column 0 stands for no action.
        note (str): What a user should know of how it runs, '' if nothing.
    """

    num_classes: int
    background_class: bool = False
    note: str = ''

    def __init__(self, network: nn.Module) -> None:
        self.network = network
        self.device = next(network.parameters()).device

    @abstractmethod
    def look(self, clips: Sequence[Clip]) -> None:
        """Look at a batch of clips; what is kept of them does not hold their frames."""

    @abstractmethod
    def scores(self) -> np.ndarray:
        """Return (n, num_classes) float32 of the people of all clips since the last call, and forget these."""


class AVANetwork(ClipNetwork):
    """An RoI action detector of MMAction2, whose scores are known at once."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__(network)
        head = network.roi_head.bbox_head
        self.num_classes, self.background_class = head.num_classes, bool(head.background_class)
        self._found: list[torch.Tensor] = []

    @torch.inference_mode()
    def look(self, clips: Sequence[Clip]) -> None:
        """Score the people of some clips."""
        data = {'inputs': [clip.inputs() for clip in clips], 'data_samples': None}
        inputs = self.network.data_preprocessor(data, False)['inputs']
        # AVARoIHead.predict insists on one clip; the step below it does not.
        found = self.network.roi_head.predict_bbox(
            self.network.extract_feat(inputs),
            [{'img_shape': clip.images.shape[1:3]} for clip in clips],
            [InstanceData(bboxes=torch.from_numpy(clip.boxes_px).to(self.device)) for clip in clips],
            rcnn_test_cfg=None,
        )
        self._found += [result.scores.float().cpu() for result in found]

    def scores(self) -> np.ndarray:
        """Return the scores."""
        found, self._found = self._found, []
        return torch.cat(found).numpy() if found else np.zeros((0, self.num_classes), np.float32)


class TubeNetwork(ClipNetwork):
    """``ClipActionDetector``, whose memory needs the whole film before anybody is scored.

    What is kept of a clip are the features of its people, 9 kB each, as in
    :class:`~mmtube.engine.loops.TwoPassTestLoop`, whose scores these are. Objects are looked for in the frame of each
    clip that is nearest to the key time, and only for a network with O blocks.

    Args:
        network (ClipActionDetector): As in :class:`ClipNetwork`.
        object_detector (dict | None): As in :func:`build_object_detector`. Defaults to None.
    """

    def __init__(self, network: ClipActionDetector, object_detector: dict | None = None) -> None:
        super().__init__(network)
        self.num_classes = network.roi_head.head.num_classes
        self._clips: list[tuple[ClipFeatures, ActionDataSample]] = []
        interaction = network.roi_head.interaction
        self._object_detector: FindObjects | None = None
        if interaction is not None and interaction.uses(OBJECT):
            self._object_detector, self.note = build_object_detector(object_detector, self.device)

    @torch.inference_mode()
    def look(self, clips: Sequence[Clip]) -> None:
        """Pool the people of some clips."""
        samples = [_sample(clip) for clip in clips]
        if self._object_detector is not None:
            found = self._object_detector([clip.key_image() for clip in clips])
            for sample, (boxes_px, scores) in zip(samples, found):
                sample.objects = InstanceData(bboxes=torch.from_numpy(boxes_px), scores=torch.from_numpy(scores))
        data = {'inputs': [clip.inputs() for clip in clips], 'data_samples': samples}
        self._clips += zip(*self.network.extract_clips(data))

    @torch.inference_mode()
    def scores(self) -> np.ndarray:
        """Let the people of each clip see those before and after it, and return the scores."""
        clips, self._clips = self._clips, []
        head, memory = self.network.roi_head, None
        if head.memory is not None:
            memory = head.memory.filled(head.entries(features) for features, _ in clips)
        found = [self.network.predict_clips(*clip, memory).pred_instances.scores for clip in clips]
        return torch.cat(found).float().numpy() if found else np.zeros((0, self.num_classes), np.float32)


def _sample(clip: Clip) -> ActionDataSample:
    """A clip as ``PackSEALClip`` packs it."""
    from mmaction.structures import ActionDataSample

    meta = dict(video_id=VIDEO, key_s=clip.key_s, img_shape=clip.images.shape[1:3], frame_times_s=clip.frame_times_s)
    people = InstanceData(bboxes=torch.from_numpy(clip.boxes_px), scores=torch.from_numpy(clip.scores))
    if len(clip.box_times_s):
        meta['box_times_s'] = clip.box_times_s
        people.tube_boxes, people.tube_valid = torch.from_numpy(clip.tube_boxes_px), torch.from_numpy(clip.tube_valid)
    sample = ActionDataSample(metainfo=meta)
    sample.proposals = people
    return sample


class LoadedNetwork(NamedTuple):
    """A network of RoI action detection with its weights, and what its config says.

    Args:
        network (nn.Module): In testing mode.
        name (str): What to call it in a message.
        clip_format (ClipFormat): How its clips are cut.
        cfg (Config): Its config.
        meta (dict): What the checkpoint says of itself.
    """

    network: nn.Module
    name: str
    clip_format: ClipFormat
    cfg: Config
    meta: dict[str, Any]

    def label_map(self, given: str | list[str] | None, num_classes: int, background_class: bool = False) -> list[str]:
        """Return the class names, see :func:`.action_config.name_columns`."""
        return name_columns(self.cfg, num_classes, background_class, given, self.meta)


def load_network(model: str | dict | Config, checkpoint: str | None) -> LoadedNetwork:
    """Build the network of an action config and load its weights; a file that is missing is known before it is built.

    Args:
        model (str | dict | Config): As in :func:`.action_config.read_config`.
        checkpoint (str | None): As in :func:`.action_config.resolve_checkpoint`.

    Raises:
        InputError: If config or weights cannot be had or do not fit each other.
    """
    name, cfg = config_name(model), read_config(model)
    clip_format = read_clip_format(cfg, name)
    file = resolve_checkpoint(model, checkpoint or cfg.get('model_path') or cfg.get('load_from'))
    network = build_network(cfg, name)
    meta = load_weights(network, file)
    return LoadedNetwork(network.eval(), name, clip_format, cfg, meta)


def build_network(cfg: Config, name: str) -> nn.Module:
    """Build the network of an action config, without weights.

    Args:
        cfg (Config): With ``model``.
        name (str): What to call it in a message.

    Raises:
        InputError: If it cannot be built, or is neither ``ClipActionDetector`` nor of MMAction2's RoI detectors.
    """
    import mmaction.models  # registers the RoI heads with mmdet, which the registries do not do by themselves
    import mmdet.models  # noqa: F401

    from .clip_action_detector import ClipActionDetector

    scope = cfg.get('default_scope') or 'mmaction'
    with DefaultScope.overwrite_default_scope(scope):
        try:
            network = (MODELS if scope == 'mmtube' else ROOT_MODELS).build(cfg.model)
        except (KeyError, TypeError) as error:  # an unknown name, or a class that takes other arguments
            raise InputError(f'{name}: cannot be built ({error})') from error
    ours = isinstance(network, ClipActionDetector)
    if not ours and not isinstance(getattr(network, 'roi_head', None), mmaction.models.AVARoIHead):
        raise InputError(f'{name}: is not the config of RoI action detection (no AVARoIHead)')
    return network


def build_object_detector(options: dict | None, device: torch.device) -> tuple[FindObjects | None, str]:
    """Build what finds objects for O blocks.

    Args:
        options (dict | None): :class:`~mmtube.models.detectors.ObjectDetector`, or another of its kind.
        device (torch.device): Where it runs if the options do not say.

    Returns:
        tuple: The detector; and ''. Without options or without weights for it, None; and why.

    Raises:
        InputError: If it cannot be built for another reason.
    """
    if options is None:
        return None, f'{NO_OBJECTS}the pipeline has no detector of them, the O blocks saw none'
    with DefaultScope.overwrite_default_scope('mmtube'):
        try:
            return MODELS.build({'device': str(device), **options}), ''
        except MissingCheckpointError as error:
            return None, f'{NO_OBJECTS}{error}'


def clip_network(network: nn.Module, object_detector: dict | None = None) -> ClipNetwork:
    """Return what looks at clips for a network of :func:`build_network`.

    Args:
        network (nn.Module): With its weights, in testing mode, on its device.
        object_detector (dict | None): As in :func:`build_object_detector`, for networks that look at objects. Defaults
            to None.
    """
    from .clip_action_detector import ClipActionDetector

    if isinstance(network, ClipActionDetector):
        return TubeNetwork(network, object_detector)
    return AVANetwork(network)
