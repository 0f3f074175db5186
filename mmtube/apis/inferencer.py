"""Films in, tubes out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from mmengine.config import Config

from mmtube.datasets import Frame
from mmtube.errors import InputError, MissingCheckpointError
from mmtube.structures import StageReport, TubeletRows, VideoInfo, VideoResult

from .pipeline_config import STAGES, build_stage, load_pipeline
from .progress import ProgressReport
from .stages import StageClock, detect_people, refine_tubes, track_people

NOT_IN_CONFIG = 'not in the config'
# A stage that would do nothing without another one, in their order.
NEEDS = {'describer': 'appearance', 'splitter': 'describer', 'tubelet_detector': 'tubelet_features'}


def count_people(count: int) -> str:
    """Say '1 person', '2 people'."""
    return f'{count} person' if count == 1 else f'{count} people'


class TubeInferencer:
    """The whole pipeline, built from one config.

    Args:
        config (str | Config): The pipeline. Defaults to ``'seal/tube_pipeline'``.
        device (str): Where the networks run. Defaults to ``'cpu'``.
        cfg_options (dict | None): Overrides such as ``{'tracker.max_age': 60}``. Defaults to None.

    Raises:
        InputError: If the config, a checkpoint or a stage cannot be used.

    Examples:
        >>> from mmtube.apis import TubeInferencer
        >>> result = TubeInferencer()('film.mp4')
        >>> for tube in result.tubes:
        ...     print(tube.track_id, tube.start_s, tube.end_s)
    """

    def __init__(
        self,
        config: str | Config = 'seal/tube_pipeline',
        device: str = 'cpu',
        cfg_options: dict[str, Any] | None = None,
    ) -> None:
        self.cfg = load_pipeline(config, cfg_options)
        self._why_skipped = {key: NOT_IN_CONFIG for key in STAGES if self.cfg.get(key) is None}
        self.stages: dict[str, Any] = {}
        for key, stage in self.cfg.items():
            if key not in STAGES or key == 'frame_source' or stage is None:
                continue
            try:
                self.stages[key] = build_stage(key, stage, device=device)
            except MissingCheckpointError as error:
                if key == 'detector':
                    raise
                self._why_skipped[key] = str(error)
        needs = dict(NEEDS)
        if getattr(self.stages.get('clip_classifier'), 'reads_rows', False):
            needs['clip_classifier'] = 'tubelet_features'
        for key, needed in needs.items():
            if key not in self.stages or needed in self.stages:
                continue
            why = self._why_skipped[needed]
            if needed == 'tubelet_features' and why == NOT_IN_CONFIG:
                raise InputError(f'the stage {key!r} needs the stage {needed!r}')
            del self.stages[key]
            self._why_skipped[key] = f'needs the stage {needed}: {why}'
        if 'clip_classifier' in self.stages and 'clip_classifier' in needs:
            meta = getattr(self.stages['tubelet_features'], 'meta', None)
            if meta is not None:  # else it is looked at when the rows are there
                self.stages['clip_classifier'].check(asdict(meta))

    def open(self, film: str | Path) -> Any:
        """Return the film as the config's frame source; use it as a context manager.

        Raises:
            InputError: If it cannot be decoded.
        """
        return build_stage('frame_source', self.cfg.frame_source, path=str(film))

    def __call__(self, film: str | Path, progress: ProgressReport | None = None) -> VideoResult:
        """Find the tubes of one film.

        Args:
            film (str | Path): A film.
            progress (ProgressReport | None): Called as the work goes on. Defaults to None.

        Returns:
            VideoResult: With one report per stage. A stage of the networks that breaks down (no memory, say) is
            reported as failed and costs only its own findings.

        Raises:
            InputError: If the film cannot be decoded.
        """
        clock = StageClock()
        result, dropped = self._find_tubes(film, progress, clock)
        result, reports = self._find_actions(film, result, progress, clock)
        for key in STAGES:
            if key in self._why_skipped:
                reports[key] = StageReport(key, 'skipped', self._why_skipped[key])
            elif key not in reports:
                reason = f'dropped: {dropped}' if key == 'tube_filter' and dropped else ''
                reports[key] = StageReport(key, 'run', reason, round(clock.seconds.get(key, 0.0), 3))
        return replace(result, stages=[reports[key] for key in STAGES])

    def _find_tubes(
        self, film: str | Path, progress: ProgressReport | None, clock: StageClock
    ) -> tuple[VideoResult, str]:
        stages = self.stages
        with self.open(film) as source:
            total = source.info.num_frames or None
            most = 0

            def on_frame(frame_ind: int, people: int) -> None:
                nonlocal most
                most = max(most, people)
                if progress is not None:
                    note = count_people(people) if most else 'nobody yet'
                    progress('detect and track', frame_ind + 1, total, note)

            detected = detect_people(
                source, stages['detector'], stages.get('selector'), self.cfg.get('batch_size', 1), clock
            )
            tubelets, shots, frame_times_s = track_people(
                detected,
                stages['tracker'],
                stages.get('shot_detector'),
                stages.get('appearance'),
                clock,
                on_frame,
                stages.get('describer'),
                stages.get('camera_motion'),
            )
            video: VideoInfo = source.info
        looks = stages['describer'].finish() if 'describer' in stages else None
        tubes, links, dropped = refine_tubes(tubelets, shots, frame_times_s, stages, clock, looks)
        return VideoResult(video, tubes, shots, links), dropped

    def _find_actions(
        self, film: str | Path, result: VideoResult, progress: ProgressReport | None, clock: StageClock
    ) -> tuple[VideoResult, dict[str, StageReport]]:
        reports: dict[str, StageReport] = {}
        rows: list[TubeletRows] | None = None
        keys = ['clip_classifier', 'tubelet_features', 'tubelet_detector']
        reads_rows = getattr(self.stages.get('clip_classifier'), 'reads_rows', False)
        if reads_rows:  # clip scores come out of the pass that makes the features
            keys[:2] = reversed(keys[:2])
        for key in keys:
            if key not in self.stages:
                continue
            if not result.tubes:
                reports[key] = StageReport(key, 'skipped', 'no person found')
                continue
            if rows is None and (key == 'tubelet_detector' or (key == 'clip_classifier' and reads_rows)):
                reports[key] = StageReport(key, 'skipped', 'the stage tubelet_features did not run')
                continue
            stage = self.stages[key]
            try:
                with clock(key):
                    if key == 'clip_classifier':
                        result = self._classify_clips(stage, film, result, rows, progress)
                        if getattr(stage, 'note', ''):
                            reports[key] = StageReport(key, 'run', stage.note)
                    elif key == 'tubelet_features':
                        with self.open(film) as source:
                            frames = _watched(source, key, result.video.num_frames, progress)
                            rows = stage.extract(frames, result.tubes, result.video)
                    else:
                        tubes = stage.detect(result.tubes, rows)
                        result = replace(result, tubes=tubes, label_maps={**result.label_maps, **stage.label_maps})
            except InputError:
                raise
            except Exception as error:  # whatever a network does, the tubes are found and must not be lost
                cause = ' '.join(str(error).split()) or type(error).__name__
                reports[key] = StageReport(key, 'failed', cause, round(clock.seconds[key], 3))
            else:
                if key in reports:
                    reports[key] = replace(reports[key], seconds=round(clock.seconds[key], 3))
        return result, reports

    def _classify_clips(
        self,
        stage: Any,
        film: str | Path,
        result: VideoResult,
        rows: list[TubeletRows] | None,
        progress: ProgressReport | None,
    ) -> VideoResult:
        frame_size = result.video.width, result.video.height
        if getattr(stage, 'reads_rows', False):
            tubes = stage.classify_rows(result.tubes, rows, frame_size)
        else:
            with self.open(film) as source:
                frames = _watched(source, 'classify clips', result.video.num_frames, progress)
                tubes = stage.classify(frames, result.tubes, frame_size)
        label_maps = {**result.label_maps, 'clip': stage.label_map} if stage.label_map else result.label_maps
        return replace(result, tubes=tubes, label_maps=label_maps)


def _watched(frames: Iterable[Frame], stage: str, total: int, progress: ProgressReport | None) -> Iterator[Frame]:
    """Yield the frames and report each."""
    for frame in frames:
        yield frame
        if progress is not None:
            progress(stage, frame.index + 1, total)
