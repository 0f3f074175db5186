"""Feature files of many films: which are to be made, and making them, in this process or in several."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from mmengine.config import Config
from mmengine.registry import DefaultScope

from mmtube.config import load_config
from mmtube.datasets import FrameSource
from mmtube.errors import InputError
from mmtube.fileio import atomic_path
from mmtube.models.tubelet_features import TubeletBoxes, TubeletExtractor
from mmtube.models.tubelet_features.extractor import whole_film
from mmtube.registry import MODELS
from mmtube.structures.io.features_npz import (
    FeatureMeta,
    TubeletFeatures,
    read_features_npz,
    write_features_npz,
)
from mmtube.structures.seal import SEALAnnotations

ASPECT_TOLERANCE = 0.02
FORMATS = ('npz', 'csv')


@dataclass(eq=False)
class FeatureJob:
    """The features of one film.

    Args:
        vid (str): The film.
        film (Path): Its file.
        out (Path): The file to write; its suffix says the format.
        tubelets (list[TubeletBoxes] | None): People; None means the whole frames.
        frame_size (tuple[int, int] | None): Width and height that the boxes refer to. Defaults to None.
        cuts_s (list[float]): Times at which a new shot begins. Defaults to none.
        num_frames (int): Frames of the film, for the progress. Defaults to 0, not known.
    """

    vid: str
    film: Path
    out: Path
    tubelets: list[TubeletBoxes] | None
    frame_size: tuple[int, int] | None = None
    cuts_s: list[float] = field(default_factory=list)
    num_frames: int = 0


def load_extractor(config: str | Config, checkpoint: str | None = None, device: str | None = None) -> TubeletExtractor:
    """Build the extractor of a config and load its weights.

    Args:
        config (str | Config): Config whose ``model`` is a ``TubeletExtractor``.
        checkpoint (str | None): Weights. Defaults to None, the config's.
        device (str | None): Where the network runs. Defaults to None, as the config says.

    Raises:
        InputError: If the config is of something else, no weights are named, or they cannot be used.
    """
    cfg = config if isinstance(config, Config) else load_config(config)
    name = config if isinstance(config, str) else cfg.filename or 'config'
    model = dict(cfg.get('model') or {})
    if str(model.get('type')).rpartition('.')[2] != 'TubeletExtractor':
        raise InputError(f'{name}: is not the config of features, its model is no TubeletExtractor')
    model['checkpoint'] = checkpoint or model.get('checkpoint')
    if model['checkpoint'] is None:
        raise InputError(f'{name}: names no weights, give them with --checkpoint FILE')
    if device is not None:
        model['device'] = device
    try:
        with DefaultScope.overwrite_default_scope('mmtube'):
            return MODELS.build(model)
    except InputError:
        raise
    except (KeyError, TypeError, ValueError) as error:
        cause = str(error.args[0] if error.args else error).splitlines()[0]
        raise InputError(f'{name}: cannot be built ({cause})') from error


def tubelet_job(annotations: SEALAnnotations, vid: str, film: Path, out: Path) -> FeatureJob:
    """Return the job of a film and its annotated, tracked or linked people.

    Frame ``i`` is at ``i / fps`` of the annotations, and a tubelet lasts to the end of its last frame.

    Raises:
        InputError: If the boxes of a tubelet cannot be used.
    """
    record, tubelets = annotations.videos[vid], []
    for tid in annotations.tids_by_video()[vid]:
        track, (first, stop) = annotations.track(tid), annotations.tubelets[tid].frame_range
        order = np.argsort(track.frame_inds, kind='stable')
        times_s = track.frame_inds[order].astype(np.float64) / record.fps
        try:
            tubelets.append(TubeletBoxes(tid, times_s, track.boxes_px[order], first / record.fps, stop / record.fps))
        except ValueError as error:
            raise InputError(f'{annotations.name}: film {vid}: {error}') from None
    # Half a frame earlier: a time belongs to the frame that is nearest.
    cuts_s = [(shot[0] - 0.5) / record.fps for shot in record.shots[1:]]
    return FeatureJob(vid, film, out, tubelets, (record.width, record.height), cuts_s, record.num_frames)


def is_done(job: FeatureJob, meta: FeatureMeta, force: bool = False) -> bool:
    """Whether the file of a job is there and is of the same extractor and the same tubelets.

    Args:
        job (FeatureJob): The job.
        meta (FeatureMeta): What the extractor writes.
        force (bool): Whether a file of another extractor is made anew, as is one with other tubelets. Defaults to
            False.

    Raises:
        InputError: If the file was made by another extractor, or is none, and may not be replaced.
    """
    if not job.out.exists():
        return False
    if job.out.suffix == '.csv':  # says nothing of its making
        return not force
    try:
        file = read_features_npz(job.out)
    except InputError:
        if force:
            return False
        raise
    if file.meta != meta:
        if force:
            return False
        differing = next(name for name, value in asdict(meta).items() if value != getattr(file.meta, name))
        told = f'{differing} is {getattr(file.meta, differing)!r}, now it would be {getattr(meta, differing)!r}'
        raise InputError(f'{job.out}: was made by another extractor ({told}); --force makes it anew')
    if job.tubelets is None:
        return set(file) == {job.vid}
    spans = {tubelet.name: (tubelet.t0_s, tubelet.t1_s) for tubelet in job.tubelets}
    return set(file) == set(spans) and all((file[tid].t0_s, file[tid].t1_s) == spans[tid] for tid in file)


def run_job(
    job: FeatureJob, extractor: TubeletExtractor, on_frame: Callable[[int, int], None] | None = None
) -> dict[str, TubeletFeatures]:
    """Make the features of one film and write them, whole or not at all.

    Args:
        job (FeatureJob): The film.
        extractor (TubeletExtractor): With weights.
        on_frame (Callable | None): Called after each frame with how many were read and how many the film has.
            Defaults to None.

    Returns:
        dict[str, TubeletFeatures]: What was written, by tubelet.

    Raises:
        InputError: If the film cannot be read or does not fit the people, or the file cannot be written.
    """
    whole = job.tubelets is None
    tubelets = [whole_film(job.vid)] if job.tubelets is None else job.tubelets
    found: list[TubeletFeatures] = []
    with FrameSource(job.film, threads=1) as source:
        size = job.frame_size or (source.info.width, source.info.height)
        aspect = size[0] / size[1] / (source.info.width / source.info.height)
        if abs(aspect - 1) > ASPECT_TOLERANCE:
            told = f'{size[0]}x{size[1]}, the film is {source.info.width}x{source.info.height}'
            raise InputError(f'{job.film}: its boxes are for frames of {told}')

        def watched() -> Iterator[Any]:
            for frame in source:
                yield frame
                if on_frame is not None:
                    on_frame(frame.index + 1, source.info.num_frames)

        try:
            found = extractor.features(watched(), tubelets, size, 1 / source.info.fps, job.cuts_s) if tubelets else []
        except InputError as error:
            raise InputError(str(error) if str(job.film) in str(error) else f'{job.film}: {error}') from None
    features = {tubelet.name: rows for tubelet, rows in zip(tubelets, found)}
    if job.out.suffix == '.csv':
        if not whole:
            raise InputError('csv is for whole frames')
        write_csv(job.out, features[job.vid])
    else:
        write_features_npz(job.out, extractor.meta, features)
    return features


def write_csv(path: Path, features: TubeletFeatures) -> None:
    """Write rows as MMAction2's ``LoadLocalizationFeature`` reads them: a line of names, then one line per window."""
    header = ','.join(f'f{number}' for number in range(features.features.shape[1]))
    with atomic_path(path) as temporary:
        np.savetxt(temporary, features.features.astype(np.float32), '%.6g', ',', header=header, comments='')


_extractor: TubeletExtractor | None = None  # of a worker process


def _start_worker(config: Config, checkpoint: str | None, device: str | None, threads: int) -> None:
    global _extractor
    torch.set_num_threads(threads)
    _extractor = load_extractor(config, checkpoint, device)


def _work(job: FeatureJob) -> tuple[int, str]:
    assert _extractor is not None
    try:
        return len(run_job(job, _extractor)), ''
    except InputError as error:
        return 0, str(error)


def run_jobs(
    jobs: Sequence[FeatureJob],
    config: Config,
    checkpoint: str | None = None,
    device: str | None = None,
    workers: int = 1,
    threads: int = 1,
    progress: Callable[[str, int, int | None, str], None] | None = None,
) -> dict[str, str]:
    """Make the features of many films; a bad film does not end the others.

    Each process runs the network with ``threads`` threads, so that the number of processes changes no bit.

    Args:
        jobs (Sequence[FeatureJob]): The films.
        config (Config): See :func:`load_extractor`.
        checkpoint (str | None): Likewise. Defaults to None.
        device (str | None): Likewise. Defaults to None.
        workers (int): Processes; with 1 it is this one. Defaults to 1.
        threads (int): Threads of PyTorch in each. Defaults to 1.
        progress (Callable | None): See :class:`~mmtube.apis.ProgressLine`. Defaults to None.

    Returns:
        dict[str, str]: What was wrong, by film.

    Raises:
        InputError: If the extractor cannot be built, or a process ended without a word.
    """
    errors: dict[str, str] = {}
    total = sum(job.num_frames for job in jobs) or None
    done = finished = 0

    def tell(frames: int) -> None:
        if progress is not None:
            progress('features', frames, total, f'{finished}/{len(jobs)} films')

    if workers <= 1:
        num_threads = torch.get_num_threads()
        torch.set_num_threads(threads)
        try:
            extractor = load_extractor(config, checkpoint, device)
            for job in jobs:
                try:
                    run_job(job, extractor, lambda frames, _, before=done: tell(before + frames))
                except InputError as error:
                    errors[job.vid] = str(error)
                done, finished = done + job.num_frames, finished + 1
                tell(done)
        finally:
            torch.set_num_threads(num_threads)
        return errors
    context = multiprocessing.get_context('spawn')  # a forked process may hang in PyTorch's threads
    arguments = (config, checkpoint, device, threads)
    try:
        with ProcessPoolExecutor(workers, context, _start_worker, arguments) as pool:
            running = {pool.submit(_work, job): job for job in jobs}
            for future in as_completed(running):
                job = running[future]
                _, error = future.result()
                if error:
                    errors[job.vid] = error
                done, finished = done + job.num_frames, finished + 1
                tell(done)
    except BrokenProcessPool:
        raise InputError(
            'a worker process ended before its work was done, maybe for want of memory; what is written stays, '
            'run the command again with fewer workers'
        ) from None
    return errors
