"""What the pipeline knows about one film when it is done."""

from __future__ import annotations

from dataclasses import dataclass, field

from .tube import Tube

STAGE_STATES = ('run', 'skipped', 'failed')


@dataclass(frozen=True)
class VideoInfo:
    """What the container says of a film, after its rotation flag was obeyed.

    Args:
        name (str): File name without its folder.
        width (int): Width in pixels as shown.
        height (int): Height in pixels as shown.
        fps (float): Average frame rate; times come from the frames themselves, never from this.
        num_frames (int): Frames decoded.
        duration_s (float): Time from the first frame to the end of the last.
    """

    name: str
    width: int
    height: int
    fps: float
    num_frames: int
    duration_s: float


@dataclass(frozen=True)
class StageReport:
    """How one stage went.

    Args:
        name (str): Stage name as in the config.
        state (str): ``'run'``, ``'skipped'`` or ``'failed'``.
        reason (str): Why it was skipped or failed, or what it dropped. Defaults to ''.
        seconds (float): Wall time spent. Defaults to 0.
    """

    name: str
    state: str
    reason: str = ''
    seconds: float = 0.0

    def __post_init__(self) -> None:
        if self.state not in STAGE_STATES:
            raise ValueError(f'state must be one of {STAGE_STATES}, got {self.state!r}')
        if self.state != 'run' and not self.reason:
            raise ValueError(f'stage {self.name} was {self.state}: a reason is needed')


@dataclass(frozen=True)
class Link:
    """One merge of two tubelets into the same person; see ``TubeLinker``.

    Args:
        earlier_id (int): Tubelet that ends first (one of ``Tube.tubelet_ids``).
        later_id (int): Tubelet that begins after it.
        cost (float): Appearance distance at the merge.
        gap_s (float): Seconds between the two.
        reason (str): The rule that allowed it, for a person to read.
    """

    earlier_id: int
    later_id: int
    cost: float
    gap_s: float
    reason: str


@dataclass
class VideoResult:
    """Everything found in one film.

    Args:
        video (VideoInfo): The film.
        tubes (list[Tube]): The people, one tube each. Defaults to none.
        shots (list[tuple[int, int]]): Half-open ranges of frame indices between shot changes. Defaults to none.
        links (list[Link]): Merges made by the linker, in the order they were made. Defaults to none.
        stages (list[StageReport]): One report per stage. Defaults to none.
        label_maps (dict[str, list[str]]): Class names of ``'clip'``, ``'atomic'`` and ``'complex'`` labels, where
            those stages ran. Defaults to none.
    """

    video: VideoInfo
    tubes: list[Tube] = field(default_factory=list)
    shots: list[tuple[int, int]] = field(default_factory=list)
    links: list[Link] = field(default_factory=list)
    stages: list[StageReport] = field(default_factory=list)
    label_maps: dict[str, list[str]] = field(default_factory=dict)

    def label_name(self, task: str, label: int) -> str:
        """Return the class name of ``label``, or ``'task N'`` where no label map says it."""
        names = self.label_maps.get(task, [])
        return names[label] if label < len(names) else f'{task} {label}'
