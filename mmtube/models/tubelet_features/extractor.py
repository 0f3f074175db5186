"""Features of all people of a film in one pass: SEAL's Slowfast-T and TSP-T, and features of whole frames."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, replace
from typing import TYPE_CHECKING

import cv2
import numpy as np
import torch
from torch import Tensor, nn

from mmtube.errors import InputError
from mmtube.models.checkpoint import load_weights
from mmtube.models.device import usable_device
from mmtube.models.fuse import speed_up
from mmtube.models.interfaces import BaseTubeletFeatures
from mmtube.registry import MODELS
from mmtube.structures import Tube, TubeletRows, VideoInfo
from mmtube.structures.io.features_npz import FeatureMeta, TubeletFeatures

from ..roi_heads.roi_over_time import RoIOverTime, nearest_slots, slice_times
from .box_grid import TOLERANCE_S, BoxGrid, SlotBoxes, TubeletBoxes
from .film_windows import PICKS, FilmWindows, frame_offsets
from .network import PARTS, FeatureNetwork

if TYPE_CHECKING:
    from mmtube.datasets import Frame

ENDLESS = 1 << 40  # windows of a film whose end is not known yet
# A tubelet may end this much after its film: lengths in annotations are rounded.
BEYOND_S = 0.5


@MODELS.register_module()
class TubeletExtractor(nn.Module, BaseTubeletFeatures):
    """Turn a film and its people into rows of features, one row for each window that a person is in.

    Windows stand on the grid of the film (:class:`~mmtube.structures.feature_grid.FeatureGrid`). Each is run through
    the network once for all people, whose features are then cut out of the maps (``RoIOverTime``), with boxes on a grid
    of times of their own (:class:`~mmtube.models.tubelet_features.box_grid.BoxGrid`). Windows without a person are not
    run. Frames are decoded and resized once and held for one window; what grows with the film are the rows alone.

    A person's rows do not depend, bit for bit, on who else is there. On a CPU windows are run one by one, whatever
    ``batch_size`` says: its convolutions round otherwise in a batch (and with another number of threads), and a batch
    is no faster there. On a GPU the last bits may depend on ``batch_size``.

    SEAL (Sec. 4) gives rates, windows, strides and boxes per second. The frames are not cropped, because people near
    the borders would be lost; the rules for missing boxes and the pooling are ours.

    Args:
        stream (str): Name of the features, such as ``'slowfast_t'``.
        network (str | dict): See :class:`~mmtube.models.tubelet_features.network.FeatureNetwork`.
        fps (float): Rate that the film is resampled to.
        window (int): Frames of a window.
        stride (int): Frames from window to window.
        dim (int): Length of a feature.
        box_fps (float): Boxes per second. Defaults to 4.
        checkpoint (str | None): Weights, see :func:`mmtube.models.checkpoint.load_weights`; those of heads are not
            needed. Defaults to None: :meth:`load` must be called before films are read.
        roi (dict | None): Arguments of ``RoIOverTime``. Defaults to an empty dict, its defaults. None means whole
            frames: the mean over each map.
        short_side (int | None): Frames are resized to this shorter side. Defaults to 256. None leaves them.
        size (tuple[int, int] | None): Width and height that frames are resized to instead. Defaults to None.
        crop (int | None): Side of the square cut out of the middle, with whole frames only. Defaults to None.
        pad_divisor (int): Frames are padded with zeros to multiples of it, with people only. Defaults to 16.
        layout (str): Frames that the network sees of a window: ``'every'``, or ``'span64'`` for 32 of 64. Defaults to
            'every'.
        pick (str): How the film is resampled: ``'nearest'`` frame, or that ``'before'``. Defaults to 'nearest'.
        input_format (str): As ``FeatureNetwork``. Defaults to 'NCTHW'.
        batch_size (int): Windows per forward pass on a GPU. Defaults to 1.
        device (str): Where the network runs. Defaults to 'cpu'.

    Attributes:
        meta (FeatureMeta): What a feature file says of its making.

    Raises:
        InputError: If network, weights or device cannot be used.
        ValueError: If an argument is out of range.
    """

    def __init__(
        self,
        stream: str,
        network: str | dict,
        fps: float,
        window: int,
        stride: int,
        dim: int,
        box_fps: float = 4,
        checkpoint: str | None = None,
        roi: dict | None = {},  # noqa: B006 - it is not changed
        short_side: int | None = 256,
        size: tuple[int, int] | None = None,
        crop: int | None = None,
        pad_divisor: int = 16,
        layout: str = 'every',
        pick: str = 'nearest',
        input_format: str = 'NCTHW',
        batch_size: int = 1,
        device: str = 'cpu',
    ) -> None:
        super().__init__()
        if batch_size < 1 or pad_divisor < 1 or dim < 1:
            raise ValueError(f'{batch_size=}, {pad_divisor=} and {dim=} must be positive')
        if any(side < 1 for side in (short_side or 1, crop or 1, *(size or ()))):
            raise ValueError(f'{short_side=}, {size=} and {crop=} must be positive')
        if crop is not None and roi is not None:
            raise ValueError('crop is for whole frames: it would cut people off')
        if pick not in PICKS:
            raise ValueError(f'pick must be one of {PICKS}, got {pick!r}')
        frame_offsets(layout, window)
        self.short_side, self.size, self.crop = short_side, size, crop
        self.pad_divisor = pad_divisor if roi is not None else 1
        self.layout, self.pick = layout, pick
        self.batch_size = batch_size
        self.device = usable_device(device)
        self._network_settings = (network, input_format)
        self.network = FeatureNetwork(network, input_format)
        self.roi = None if roi is None else RoIOverTime(**roi)
        self.box_grid = BoxGrid(box_fps) if roi is not None else None
        self.meta = FeatureMeta(
            stream, float(fps), window, stride, float(box_fps) if roi is not None else 0.0, dim,
            'frame' if self.roi is None else self.roi.tell(), '', self._tell_frames(),
        )  # fmt: skip
        self.grid = self.meta.grid
        self.eval().requires_grad_(False)
        self.to(self.device)
        if checkpoint is not None:
            self.load(checkpoint)

    def _tell_frames(self) -> str:
        size = (
            f'{self.size[0]}x{self.size[1]}' if self.size else f'short{self.short_side}' if self.short_side else 'own'
        )
        return '-'.join([size, *([f'crop{self.crop}'] if self.crop else []), self.layout, self.pick])

    def load(self, checkpoint: str) -> None:
        """Load weights and take their hash into ``meta``.

        Args:
            checkpoint (str): See :func:`mmtube.models.checkpoint.load_weights`; names may begin with ``backbone.`` and
                ``neck.``, what stands beside them is left out.

        Raises:
            InputError: If the file cannot be used or is of another network.
        """

        def prepare(content: dict, own: dict[str, Tensor]) -> None:
            state = content['state_dict']
            content['state_dict'] = {name: state[name] for name in state if name.split('.')[0] in PARTS}
            if not content['state_dict']:  # of a backbone alone
                content['state_dict'] = {f'backbone.{name}': tensor for name, tensor in state.items()}

        if self.meta.checkpoint:  # weights that were sped up have other names
            self.network = FeatureNetwork(*self._network_settings)
        load_weights(self.network, checkpoint, prepare=prepare)
        self.meta = replace(self.meta, checkpoint=self.network.weights_hash())
        self.network = speed_up(self.network.to(self.device))

    def extract(self, frames: Iterable[Frame], tubes: list[Tube], video: VideoInfo) -> list[TubeletRows]:
        """Return the rows of each tube; see :class:`~mmtube.models.interfaces.BaseTubeletFeatures`.

        Args:
            frames (Iterable[Frame]): The frames of the film in order.
            tubes (list[Tube]): The people.
            video (VideoInfo): The film.
        """
        tubelets = [TubeletBoxes.from_tube(tube, 1 / video.fps) for tube in tubes]
        found = self.features(frames, tubelets, (video.width, video.height), 1 / video.fps)
        return [
            TubeletRows(
                tube.track_id,
                features.offset_s + np.arange(len(features.features)) / self.grid.rate,
                features.features,
                {**asdict(self.meta), 'offset_s': features.offset_s},
                features.valid,
            )
            for tube, features in zip(tubes, found)
        ]

    def features(
        self,
        frames: Iterable[Frame],
        tubelets: Sequence[TubeletBoxes],
        frame_size: tuple[float, float],
        frame_s: float = 0.04,
        cuts_s: np.ndarray | Sequence[float] = (),
    ) -> list[TubeletFeatures]:
        """Return the features of tubelets, in their order; with whole frames boxes are not looked at.

        Args:
            frames (Iterable[Frame]): The frames of the film in order, read no further than needed.
            tubelets (Sequence[TubeletBoxes]): The tubelets.
            frame_size (tuple[float, float]): Width and height in pixels that the boxes refer to; the film itself may
                be larger or smaller.
            frame_s (float): How long the frame of a film with a single one lasts. Defaults to 0.04.
            cuts_s (np.ndarray | Sequence[float]): Increasing times at which a new shot begins. Defaults to none.

        Raises:
            InputError: If no weights were loaded, the network gives features of another length than ``dim``, or a
                tubelet goes on after the end of the film.
        """
        if not self.meta.checkpoint:
            raise InputError(f'features {self.meta.stream}: no weights were loaded, give checkpoint=FILE')
        rows = _Rows([self._windows(tubelet, ENDLESS) for tubelet in tubelets], self.meta.dim)
        boxes: list[SlotBoxes] | None = None
        if self.box_grid is not None:
            boxes = [self.box_grid.slot_boxes(tubelet, frame_size, cuts_s) for tubelet in tubelets]
        windows = FilmWindows(self.grid, self.layout, self.pick, self._prepare)
        batch: list[tuple[int, list, np.ndarray]] = []  # window, frames, tubelets

        def flush() -> None:
            if batch:
                for (window, _, owners), features in zip(batch, self._run(batch, boxes, frame_size, windows)):
                    rows.put(window, owners, *features)
                batch.clear()

        for window, clip in windows(frames, rows.wanted(), self._kept(rows), frame_s):
            batch.append((window, clip, rows.at(window)))
            if len(batch) == (self.batch_size if self.device.type != 'cpu' else 1):
                flush()
        flush()
        self._check_ends(tubelets, windows, rows)
        spans = [self._windows(tubelet, windows.num_windows) for tubelet in tubelets]
        film_s = windows.num_frames / self.grid.fps
        late = np.array([row for row, span in enumerate(spans) if span[1] > span[0] and not rows.has(row, span)], int)
        if len(late):
            # Tubelets of the last half second, in which no window has its centre: the last window is theirs.
            batch.append((windows.num_windows - 1, windows.last(), late))
            flush()
        return [
            TubeletFeatures(
                *rows.take(row, span),
                float(self.grid.center_s(span[0])),
                tubelet.t0_s,
                film_s if np.isinf(tubelet.t1_s) else tubelet.t1_s,
            )
            for row, (tubelet, span) in enumerate(zip(tubelets, spans))
        ]

    def _windows(self, tubelet: TubeletBoxes, num_windows: int) -> tuple[int, int]:
        if np.isinf(tubelet.t1_s):  # the film itself
            return 0, num_windows
        if not len(tubelet.times_s) and self.roi is not None:
            return 0, 0
        return self.grid.windows(tubelet.t0_s, tubelet.t1_s, num_windows)

    def _kept(self, rows: _Rows) -> np.ndarray:
        """Ranges of frames that windows may need: those of the tubelets, and before them what the last may have."""
        offsets = frame_offsets(self.layout, self.grid.window)
        back = int((self.grid.window / 2 / self.grid.fps + BEYOND_S) * self.grid.rate) + 3
        first = (rows.spans[:, 0] - back) * self.grid.stride + min(int(offsets[0]), 0)
        last = (rows.spans[:, 1] - 1) * self.grid.stride + max(int(offsets[-1]), self.grid.window - 1) + 1
        filled = rows.spans[:, 1] > rows.spans[:, 0]
        ranges: list[list[int]] = []
        for begin, end in sorted(zip(first[filled].tolist(), last[filled].tolist())):
            if ranges and begin <= ranges[-1][1]:
                ranges[-1][1] = max(ranges[-1][1], end)
            else:
                ranges.append([begin, end])
        return np.array(ranges, np.int64).reshape(-1, 2)

    def _check_ends(self, tubelets: Sequence[TubeletBoxes], windows: FilmWindows, rows: _Rows) -> None:
        film_s = windows.num_frames / self.grid.fps
        for tubelet, (first, stop) in zip(tubelets, rows.spans.tolist()):
            # Where reading ended early, because the rest was of no use, each tubelet has all of its windows.
            if (
                first < stop < ENDLESS
                and stop > windows.num_windows
                and tubelet.t1_s > film_s + BEYOND_S + 1 / self.grid.fps
            ):
                told = f'goes on to {tubelet.t1_s:.2f} s, the film ends at {film_s:.2f} s'
                raise InputError(f'tubelet {tubelet.name} {told}')

    @torch.inference_mode()
    def _prepare(self, image: np.ndarray) -> np.ndarray | Tensor:
        """Resize and cut a (H, W, 3) BGR image; RGB comes later, of whole windows.

        Windows overlap: a network that looks at each frame for itself first does so here, once for all of them.
        """
        height, width = image.shape[:2]
        size = self._resized(width, height)
        if size != (width, height):
            image = cv2.resize(image, size, interpolation=cv2.INTER_LINEAR)
        if self.crop is not None:
            left, top = (max((side - self.crop) // 2, 0) for side in size)
            image = image[top : top + self.crop, left : left + self.crop]
        if self.network.looks_at_frames:
            frame = torch.from_numpy(np.ascontiguousarray(image[..., ::-1].transpose(2, 0, 1)))
            return self.network.look(frame, self.pad_divisor)
        return image

    def _resized(self, width: int, height: int) -> tuple[int, int]:
        if self.size is not None:
            return self.size[0], self.size[1]
        scale = self.short_side / min(width, height) if self.short_side else 1
        return max(round(width * scale), 1), max(round(height * scale), 1)

    @torch.inference_mode()
    def _run(
        self,
        batch: list[tuple[int, list, np.ndarray]],
        boxes: list[SlotBoxes] | None,
        frame_size: tuple[float, float],
        windows: FilmWindows,
    ) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Yield (n, dim) float16 features and (n,) bool of the tubelets of each window of a batch."""
        if self.network.looks_at_frames:
            maps = self.network.over_time(torch.stack([torch.stack(frames, 1) for _, frames, _ in batch]))
        else:
            clips = [np.ascontiguousarray(np.stack(frames)[..., ::-1].transpose(3, 0, 1, 2)) for _, frames, _ in batch]
            maps = self.network([torch.from_numpy(clip) for clip in clips], self.pad_divisor)
        dim = sum(features.shape[1] for features in maps)
        if dim != self.meta.dim:
            raise InputError(f'features {self.meta.stream}: the network gives {dim} numbers, dim says {self.meta.dim}')
        assert windows.frame_size is not None
        width, height = self._resized(*windows.frame_size)
        scale = np.tile(np.float32([width / frame_size[0], height / frame_size[1]]), 2)
        for number, (window, _, owners) in enumerate(batch):
            # A window at a time: a person's sums must not depend on what else is in the batch.
            own = [features[number : number + 1] for features in maps]
            if boxes is None or self.roi is None:
                pooled = torch.cat(
                    [features.flatten(2).mean(2) if features.dim() > 2 else features for features in own], 1
                )
                valid = np.ones(len(owners), bool)
                features = pooled.expand(len(owners), -1)
            else:
                features, valid = self._pool(own, window, [boxes[owner] for owner in owners], scale, windows)
            yield features.float().cpu().numpy().astype(np.float16), valid

    def _pool(
        self, maps: list[Tensor], window: int, people: list[SlotBoxes], scale: np.ndarray, windows: FilmWindows
    ) -> tuple[Tensor, np.ndarray]:
        assert self.box_grid is not None and self.roi is not None
        start_s = window * self.grid.stride / self.grid.fps
        in_window = self.box_grid.within(start_s, start_s + self.grid.window / self.grid.fps - 2 * TOLERANCE_S)
        at = [person.at(in_window) for person in people]
        boxes_px, valid = (np.stack(column) for column in zip(*at))
        times_s, box_times_s = torch.from_numpy(windows.frame_times_s(window)), self.box_grid.times_s(in_window)
        slots = [
            nearest_slots(slice_times(times_s, features.shape[2]), torch.from_numpy(box_times_s)) for features in maps
        ]
        used = np.zeros(len(in_window), bool)
        used[torch.cat(slots).numpy()] = True
        valid &= used  # a box that no time slice takes makes no feature
        pooled = self.roi(
            maps,
            torch.from_numpy(boxes_px * scale).to(self.device),
            torch.zeros(len(people), dtype=torch.int64, device=self.device),
            slots,
            torch.from_numpy(valid).to(self.device),
        )
        return pooled, valid.any(axis=1)


class _Rows:
    """Rows of many tubelets while windows come one by one."""

    def __init__(self, spans: list[tuple[int, int]], dim: int) -> None:
        self.spans = np.array(spans, np.int64).reshape(-1, 2)
        self.dim = dim
        self._rows: list[dict[int, tuple[np.ndarray, bool]]] = [{} for _ in spans]

    def wanted(self) -> Iterator[int]:
        """Yield the windows in which there is a tubelet, in order."""
        end = 0
        for first, stop in sorted(self.spans.tolist()):
            yield from range(max(first, end), stop)
            end = max(end, stop)

    def at(self, window: int) -> np.ndarray:
        """Return the tubelets of a window."""
        return np.flatnonzero((self.spans[:, 0] <= window) & (window < self.spans[:, 1]))

    def put(self, window: int, owners: np.ndarray, features: np.ndarray, valid: np.ndarray) -> None:
        """Keep the rows of a window."""
        for owner, row, known in zip(owners.tolist(), features, valid.tolist()):
            self._rows[owner][window] = row.copy(), known  # a view would keep the rows of the others

    def has(self, owner: int, span: tuple[int, int]) -> bool:
        """Whether all rows of a tubelet are there."""
        return all(window in self._rows[owner] for window in range(*span))

    def take(self, owner: int, span: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
        """Return (T, dim) float16 rows of a tubelet, zeros where it is not valid, and (T,) bool, and forget them."""
        found = self._rows[owner]
        features = np.zeros((span[1] - span[0], self.dim), np.float16)
        valid = np.zeros(len(features), bool)
        for place, window in enumerate(range(*span)):
            row, valid[place] = found.pop(window)
            if valid[place]:
                features[place] = row
        self._rows[owner] = {}
        return features, valid


def whole_film(name: str) -> TubeletBoxes:
    """Return the tubelet that stands for a film itself, whose end is not known."""
    return TubeletBoxes(name, np.zeros(0), np.zeros((0, 4)), 0.0, float('inf'))
