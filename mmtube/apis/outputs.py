"""Everything that is written for one film, all of it or nothing."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path

from mmtube.datasets import Frame
from mmtube.errors import InputError
from mmtube.fileio import check_writable
from mmtube.structures import VideoResult
from mmtube.structures.io import FilmWriter, write_mot_txt, write_result_json, write_webvtt
from mmtube.visualization import TubeOverlay, draw_timeline
from mmtube.visualization.viewer import write_viewer

from .browser_film import film_url
from .progress import ProgressReport

OUTPUTS = ('result.json', 'tubes.mot.txt', 'subtitles.vtt', 'timeline.png', 'annotated.mp4', 'viewer.html')
FILM_COPY = 'viewer.mp4'  # the film as it is, written where viewer.html cannot show the film itself

COPY_KEY_EVERY = 25  # frames from one key frame to the next: a page jumps around in it


def check_outputs(out_dir: str | Path, film: str | Path | None = None) -> None:
    """See that all outputs can be written, before hours of work depend on it; nothing is left behind.

    Args:
        out_dir (str | Path): The folder.
        film (str | Path | None): The film that is read, which must not be one of them. Defaults to None.

    Raises:
        InputError: If one cannot.
    """
    for name in (*OUTPUTS, FILM_COPY):
        check_writable(Path(out_dir) / name)
        if film is not None and (Path(out_dir) / name).resolve() == Path(film).resolve():
            raise InputError(f'{film}: would be overwritten by its own result; choose another folder for the output')


def draw_film(
    frames: Iterable[Frame],
    result: VideoResult,
    path: str | Path,
    progress: ProgressReport | None = None,
    copy: str | Path | None = None,
) -> None:
    """Write the film with boxes, IDs and action bars.

    Args:
        frames (Iterable[Frame]): The film again: IDs are known only after its end, and keeping its frames until then
            would need memory for all of them.
        result (VideoResult): What was found in it.
        path (str | Path): H.264 film to write.
        progress (ProgressReport | None): Called after each frame. Defaults to None.
        copy (str | Path | None): H.264 film to write from the same frames with nothing drawn on them. Defaults to None.
    """
    overlay = TubeOverlay(result)
    size = result.video.width, result.video.height
    with ExitStack() as stack:
        writer = stack.enter_context(FilmWriter(path, size))
        plain = stack.enter_context(FilmWriter(copy, size, key_every=COPY_KEY_EVERY)) if copy is not None else None
        for frame in frames:
            if plain is not None:
                plain.write(frame.image, frame.time_s)
            writer.write(overlay.draw(frame.image, frame.index, frame.time_s), frame.time_s)
            if progress is not None:
                progress('draw', frame.index + 1, result.video.num_frames)


def write_outputs(
    result: VideoResult,
    frames: Iterable[Frame],
    out_dir: str | Path,
    progress: ProgressReport | None = None,
    film: str | Path | None = None,
) -> list[Path]:
    """Write all of :data:`OUTPUTS` into a folder; when one cannot be written, none is.

    ``viewer.html`` shows the film where it lies, if browsers play it; otherwise ``viewer.mp4``, a copy without
    drawings, is written beside it in the same pass.

    Args:
        result (VideoResult): What was found.
        frames (Iterable[Frame]): The film, for the annotated one.
        out_dir (str | Path): The folder; files of these names in it are replaced.
        progress (ProgressReport | None): Called as the film is drawn. Defaults to None.
        film (str | Path | None): The file that ``frames`` come from. Defaults to None, a copy is written.

    Returns:
        list[Path]: The files.

    Raises:
        InputError: If the folder cannot be written or the film not be read.
    """
    out_dir = Path(out_dir)
    check_outputs(out_dir, film)
    out_dir.mkdir(parents=True, exist_ok=True)
    url = film_url(film, out_dir) if film is not None else None
    unfinished = Path(tempfile.mkdtemp(prefix='.unfinished-', dir=out_dir))
    copy = unfinished / FILM_COPY if url is None else None
    try:
        write_result_json(result, unfinished / 'result.json')
        write_mot_txt(result, unfinished / 'tubes.mot.txt')
        write_webvtt(result, unfinished / 'subtitles.vtt')
        draw_timeline(result, unfinished / 'timeline.png')
        draw_film(frames, result, unfinished / 'annotated.mp4', progress, copy)
        write_viewer(result, unfinished / 'viewer.html', url or FILM_COPY)
        names = OUTPUTS if copy is None else (*OUTPUTS, FILM_COPY)
        return [(unfinished / name).replace(out_dir / name) for name in names]
    finally:
        shutil.rmtree(unfinished)
