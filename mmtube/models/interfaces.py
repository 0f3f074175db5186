"""What a stage that looks at whole tubelets must offer; the pipeline knows nothing else about it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from typing import TYPE_CHECKING

from mmtube.structures import Tube, TubeletRows, VideoInfo

if TYPE_CHECKING:
    from mmtube.datasets import Frame


class BaseTubeletFeatures(ABC):
    """Turns a film and its tubes into one sequence of feature rows per tube, in one pass over the film."""

    @abstractmethod
    def extract(self, frames: Iterable[Frame], tubes: list[Tube], video: VideoInfo) -> list[TubeletRows]:
        """Return one :class:`TubeletRows` per tube, in the order of ``tubes``.

        Args:
            frames (Iterable[Frame]): The frames of the film in order; memory must stay bounded by a window of them.
            tubes (list[Tube]): The people.
            video (VideoInfo): The film.
        """


class BaseTubeletDetector(ABC):
    """Finds action instances on tubes from their feature rows.

    Attributes:
        label_maps (dict[str, list[str]]): Class names of each task (``'atomic'``, ``'complex'``) it finds.
    """

    label_maps: dict[str, list[str]]

    @abstractmethod
    def detect(self, tubes: list[Tube], features: list[TubeletRows]) -> list[Tube]:
        """Return the tubes with their ``segments`` filled in.

        Args:
            tubes (list[Tube]): The people; they are not changed.
            features (list[TubeletRows]): Their rows, in the same order.
        """
