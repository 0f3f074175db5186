"""A trained re-identification network outside of a runner."""

from __future__ import annotations

import numpy as np
import torch
from mmengine.config import Config
from mmengine.registry import DefaultScope

from mmtube.errors import InputError
from mmtube.models.checkpoint import load_weights
from mmtube.models.device import usable_device
from mmtube.registry import MODELS

from .video_reid import VideoReID

TRAINING_ONLY = ('classifier.', 'loss_center.')


def loading_step(cfg: Config, name: str) -> dict:
    """Return the step of a config's test pipeline that loads images.

    Args:
        cfg (Config): The config.
        name (str): What to call it in a message.

    Raises:
        InputError: If there is none.
    """
    for step in cfg.get('test_pipeline') or []:
        if step['type'].rpartition('.')[2] == 'LoadSequence':
            return step
    raise InputError(f'{name}: its test_pipeline has no LoadSequence, which says how crops are resized')


def load_network(cfg: Config, checkpoint: str | None, device: str, name: str) -> VideoReID:
    """Build the network of a config for testing, without what only training needs.

    Args:
        cfg (Config): A config with a ``VideoReID``.
        checkpoint (str | None): Weights; classifier and centres may be absent.
        device (str): Where it runs.
        name (str): What to call the config in a message.

    Raises:
        InputError: If anything of it cannot be used.
    """
    if checkpoint is None:
        raise InputError(f'{name}: no checkpoint was given and the config names none')
    where = usable_device(device)
    with DefaultScope.overwrite_default_scope('mmtube'):
        kind = MODELS.get(str(cfg.model.get('type')))
        if not (isinstance(kind, type) and issubclass(kind, VideoReID)):
            raise InputError(f'{name}: is the config of a {cfg.model.get("type")}, not of a VideoReID')
        # What only training has is left out, so one identity is as good as any number.
        settings = {**cfg.model, 'num_identities': 1, 'init_cfg': None}
        settings['backbone'] = {**(cfg.model.get('backbone') or {}), 'init_cfg': None}
        try:
            network = MODELS.build(settings)
        except (KeyError, TypeError, ValueError) as error:
            raise InputError(f'{name}: cannot be built ({" ".join(str(error).split())})') from error
    del network.classifier, network.loss_center
    load_weights(network, checkpoint, ignored=TRAINING_ONLY)
    return network.eval().requires_grad_(False).to(where)


@torch.inference_mode()
def unit_features(network: VideoReID, crops: np.ndarray) -> np.ndarray:
    """Return (N, D) float32 features of unit length of (N, 3, H, W) uint8 crops."""
    images = torch.from_numpy(crops).to(network.neck.weight.device)
    features = network.neck(network.image_features(network.data_preprocessor.normalize(images)))
    return torch.nn.functional.normalize(features, dim=1).float().cpu().numpy()
