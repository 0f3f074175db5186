"""Linking the tubelets of films that are on disk already, one film or many."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from mmengine.config import Config

from mmtube.datasets import Frame
from mmtube.datasets.film_folder import find_film
from mmtube.errors import InputError
from mmtube.models.trackers.tubelet_splitter import parted_pairs
from mmtube.structures import LinkProposal, Tube, TubeletLook, TubeletSplit, VideoResult, apply_links, apply_splits
from mmtube.structures.io import LinkProposals, read_mot_txt, read_result_json
from mmtube.structures.io.documents import read_json
from mmtube.structures.seal import read_seal_json
from mmtube.structures.seal.convert.results import to_results
from mmtube.visualization.link_review import person_crop
from mmtube.visualization.report import Picture

from .pipeline_config import build_stage
from .stages import describe_tubelets, links_within, with_looks

SUFFIXES = ('.json', '.txt')
PICTURES = 3  # of each end of a tubelet


@dataclass
class LinkedFilm:
    """What came of a film.

    Args:
        result (VideoResult): The linked tubes.
        proposals (list[LinkProposal]): Merges that were made, and those that were close to it.
        splits (list[TubeletSplit]): Tubelets that were parted before.
        spans_s (dict[int, tuple[float, float]]): First and last second of each tubelet.
        crops (dict[int, tuple]): First and last pictures of each tubelet, if they were asked for. Defaults to none.
        dropped (str): What the filter dropped and why. Defaults to ''.
    """

    result: VideoResult
    proposals: list[LinkProposal]
    splits: list[TubeletSplit]
    spans_s: dict[int, tuple[float, float]]
    crops: dict[int, tuple[list[Picture], list[Picture]]] = field(default_factory=dict)
    dropped: str = ''


class FilmLinker:
    """Describes, parts and links the tubelets of a film by the stages of a pipeline config.

    Args:
        cfg (Config): The pipeline, see ``load_pipeline``. Its linker is needed; its appearance, describer, frame source
            and shot detector are for tubelets that come with a film; splitter and tube filter are used where it has
            them.
    """

    def __init__(self, cfg: Config) -> None:
        self.cfg = cfg
        keys = ('linker', 'describer', 'splitter', 'tube_filter')
        self._stages = {key: build_stage(key, cfg[key]) for key in keys if cfg.get(key)}

    @property
    def linker(self) -> Callable:
        """The linker."""
        return self._stages['linker']

    def describe(
        self,
        result: VideoResult,
        film: str | os.PathLike,
        crops: dict[int, tuple[list[Picture], list[Picture]]] | None = None,
    ) -> tuple[VideoResult, dict[int, TubeletLook]]:
        """Look at a film once: how its tubelets look, and where its shots are if the result does not say.

        Args:
            result (VideoResult): Tubelets.
            film (str | os.PathLike): The film.
            crops (dict | None): Where pictures of the tubelets go, by ID. Defaults to None: none are made.

        Returns:
            tuple: The result with embeddings, times and facts of the film; looks by ID.

        Raises:
            InputError: If the config lacks a stage for it, or the film cannot be used.
        """
        for key in ('frame_source', 'appearance'):
            if not self.cfg.get(key):
                raise InputError(f'{self.cfg.filename or "config"}: the stage {key!r} is missing')
        detector = self.cfg.get('shot_detector') if not result.shots else None
        shot_detector = build_stage('shot_detector', detector) if detector else None
        appearance = build_stage('appearance', self.cfg.appearance)
        on_box = None if crops is None else _PictureTaker(result.tubes, crops)
        with build_stage('frame_source', self.cfg.frame_source, path=str(film)) as source:
            tubelets, shots, looks = describe_tubelets(
                source, result.tubes, appearance, shot_detector, self._stages.get('describer'), on_box
            )
            info = source.info
        return replace(result, video=info, tubes=tubelets, shots=list(result.shots) or shots), looks

    def link(
        self,
        result: VideoResult,
        looks: Mapping[int, TubeletLook] | None = None,
        crops: dict[int, tuple[list[Picture], list[Picture]]] | None = None,
    ) -> LinkedFilm:
        """Part, link and filter.

        Args:
            result (VideoResult): Tubelets with embeddings, from :meth:`describe` or from a file; not changed.
            looks (Mapping[int, TubeletLook] | None): How they look, by ID. Defaults to None, only their embeddings.
            crops (dict | None): Pictures of the tubelets. Defaults to None.
        """
        tubelets, splits, known = result.tubes, [], dict(looks or {})
        if known and 'splitter' in self._stages:
            tubelets, known, splits = self._stages['splitter'](tubelets, known)
        tubelets = with_looks(tubelets, known)
        proposals = self.linker.propose(tubelets, result.shots, known, parted_pairs(splits))
        links = [proposal.link() for proposal in proposals if proposal.made]
        tubes = apply_links(tubelets, links, self.linker.max_overlap_frames)
        dropped = ''
        if 'tube_filter' in self._stages:
            verdicts = [self._stages['tube_filter'].verdict(tube) for tube in tubes]
            tubes = [tube for tube, verdict in zip(tubes, verdicts) if not verdict]
            counts = Counter(filter(None, verdicts))
            dropped = ', '.join(f'{verdict} ({count})' for verdict, count in counts.items())
        spans_s = {tube.track_id: (tube.start_s, tube.end_s) for tube in tubelets if len(tube)}
        linked = replace(result, tubes=tubes, links=links_within(tubes, [*result.links, *links]))
        return LinkedFilm(linked, proposals, splits, spans_s, crops or {}, dropped)


class _PictureTaker:
    """Keeps pictures of the first and the last chosen boxes of each tubelet."""

    def __init__(self, tubelets: Sequence[Tube], crops: dict[int, tuple[list[Picture], list[Picture]]]) -> None:
        self._tubelets, self._crops = tubelets, crops

    def __call__(self, frame: Frame, number: int, row: int) -> None:
        tube = self._tubelets[number]
        first, last = self._crops.setdefault(tube.track_id, ([], []))
        picture = person_crop(frame.image, tube.boxes_px[row])
        if len(first) < PICTURES:
            first.append(picture)
        last.append(picture)
        del last[:-PICTURES]


def apply_proposals(result: VideoResult, document: LinkProposals, accepted: Sequence[LinkProposal]) -> VideoResult:
    """Make the merges that a person accepted.

    Args:
        result (VideoResult): The tubelets for which the proposals were made; not changed.
        document (LinkProposals): The proposals.
        accepted (Sequence[LinkProposal]): Those of them that are made.

    Raises:
        InputError: If they name tubelets that are not there, or merge people who are seen at the same time.
    """
    try:
        tubelets = apply_splits(result.tubes, document.splits) if document.splits else result.tubes
        links = [proposal.link() for proposal in accepted]
        tubes = apply_links(tubelets, links, document.max_overlap_frames)
    except ValueError as error:
        raise InputError(f'the proposals do not fit these tubelets: {error}') from None
    return replace(result, tubes=tubes, links=[*result.links, *links])


def tubelet_films(path: str | os.PathLike) -> Iterator[tuple[str, Callable[[], VideoResult]]]:
    """Find films with tubelets; each is read only when it is asked for, so that a bad one costs only itself.

    Args:
        path (str | os.PathLike): MOT text, a result (``.json``), a folder of either, or annotations in the SEAL schema
            (``.json``) with tubelets of many films.

    Yields:
        tuple[str, Callable[[], VideoResult]]: Name of the film without suffix, and what reads it.

    Raises:
        InputError: If there is no such file, or annotations cannot be read.
    """
    path = Path(path)
    if path.is_dir():
        files = sorted(file for file in path.iterdir() if file.suffix in SUFFIXES)
        if not files:
            raise InputError(f'{path}: has neither results (.json) nor MOT text (.txt)')
        yield from ((file.stem, _reader(file)) for file in files)
    elif is_annotations(path):
        annotations = read_seal_json(path)
        for vid in annotations.videos:
            yield vid, lambda vid=vid: _film_of(annotations, vid)
    else:
        yield path.stem, _reader(path)


def is_annotations(path: str | os.PathLike) -> bool:
    """Whether a file holds annotations in the SEAL schema, and no result of the library."""
    return Path(path).suffix == '.json' and Path(path).is_file() and 'tubelets' in read_json(path)


def _reader(file: Path) -> Callable[[], VideoResult]:
    return lambda: read_result_json(file) if file.suffix == '.json' else read_mot_txt(file)


def _film_of(annotations: object, vid: str) -> VideoResult:
    (result,) = to_results(annotations.only({vid}))
    for tube in result.tubes:
        tube.tubelet_ids[:] = tube.track_id  # the linker knows a tubelet by its ID
    return result


def film_beside(videos: str | os.PathLike | None, name: str) -> Path | None:
    """Return the film of a name: the one given, or the one of a folder; None where none is given.

    Raises:
        InputError: If the folder has no such film.
    """
    if videos is None:
        return None
    return find_film(videos, name) if Path(videos).is_dir() else Path(videos)
