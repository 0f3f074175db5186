"""Clip scores of a whole film beside MMAction2's way, on one thread, with the same network, weights and boxes.

Prints for a made film: seconds of the clip stage here and of two ways of MMAction2 in parts, the largest difference of
scores, what ten people cost beside one, and the peak memory for a short and a long film.

What stands for MMAction2 are calls into it, with one clip per forward pass and all people of a clip in it:

- demo: as its demo of spatio-temporal detection goes on. OpenCV reads the film once, each frame is resized once and
  kept for the whole film. For each key time the frames are normalised as float32 by ``mmcv.imnormalize``, stacked, and
  the network is called in the mode 'predict'. The demo also writes all frames as JPEG files; that is not done here,
  and its people come from a detector; here both ways get the same boxes.
- test: as its test loop goes on. Frames lie on disk as JPEG files (writing them is not counted). For each key time
  ``SampleAVAFrames``, ``RawFrameDecode``, ``Resize``, ``FormatShape`` and ``PackActionInputs`` of the config's test
  pipeline are run and then ``test_step``.

Both take the frames of ``SampleAVAFrames`` for key times at whole seconds, as we do (the demo's own are two frames
off). Ours is ``ClipClassifier`` on a ``FrameSource``: it decodes, resizes, stacks and calls the network that
``mmtube.models.fuse.speed_up`` has gone over. OpenCV and PyAV turn a film into colours that differ by two grey levels
in the mean, so the difference to the demo is told twice: with our own frames, and with OpenCV's given to both.
"""

from __future__ import annotations

import argparse
import multiprocessing
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import mmcv
import numpy as np
import torch
from mmengine.config import Config

from mmtube.datasets import Frame, FrameSource
from mmtube.models.roi_heads import ClipClassifier
from mmtube.models.roi_heads.action_config import SLOWFAST_AVA, read_config
from mmtube.models.roi_heads.clip_networks import build_network
from mmtube.structures import Tube
from mmtube.structures.io import FilmWriter

FPS = 30
FRAME = (640, 360)
MEBIBYTE = 1 << 20


def make_film(path: Path, seconds: float) -> None:
    """Write a film whose picture, blurred noise, moves."""
    rng = np.random.default_rng(0)
    width, height = FRAME
    picture = cv2.GaussianBlur(rng.integers(0, 256, (height + 128, width + 256, 3), dtype=np.uint8), (0, 0), 3)
    picture = cv2.normalize(picture, None, 0, 255, cv2.NORM_MINMAX)
    with FilmWriter(path, FRAME) as writer:
        for index in range(round(seconds * FPS)):
            x, y = (round(128 + 127 * np.sin(index / 20))), (round(64 + 63 * np.cos(index / 13)))
            writer.write(np.ascontiguousarray(picture[y : y + height, x : x + width]), index / FPS)


def make_people(seconds: float, count: int) -> list[Tube]:
    """People side by side who stay all the time."""
    frames = np.arange(round(seconds * FPS))
    left = np.linspace(10, 500, count)
    boxes = [np.tile(np.float32([x, 60, x + 110, 340]), (len(frames), 1)) for x in left]
    return [Tube(number, frames, frames / FPS, box) for number, box in enumerate(boxes)]


def read_model(size: str) -> Config:
    """Return MMAction2's SlowFast R50 8x8 for AVA, or the same with an eighth of the channels and 18 layers."""
    cfg = read_config(SLOWFAST_AVA)
    cfg.model.backbone.update(pretrained=None)
    if size == 'small':
        cfg.model.backbone.slow_pathway.update(depth=18, base_channels=16)
        cfg.model.backbone.fast_pathway.update(depth=18, base_channels=2)
        cfg.model.roi_head.bbox_head.in_channels = 144
    for key in ('model_path', 'load_from'):
        cfg.pop(key, None)
    return cfg


def make_weights(cfg: Config, path: Path) -> torch.nn.Module:
    """Write random weights that tell people and times apart, and return MMAction2's network with them."""
    torch.manual_seed(0)
    network = build_network(cfg, 'the model')
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm3d):
            module.running_mean.uniform_(-0.2, 0.2)
            module.running_var.uniform_(0.5, 1.5)
    torch.nn.init.normal_(network.roi_head.bbox_head.fc_cls.weight, std=0.02)
    torch.save({'state_dict': network.state_dict()}, path)
    network.eval()
    return network


class Parts:
    """Seconds by part."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = defaultdict(float)
        self._last = time.perf_counter()

    def end(self, name: str) -> None:
        """Count the time since the last end."""
        now = time.perf_counter()
        self.seconds[name] += now - self._last
        self._last = now

    def __str__(self) -> str:
        return ', '.join(f'{name} {seconds:.2f}' for name, seconds in self.seconds.items())


def frames_of(cfg: Config, key: int, num_frames: int) -> np.ndarray:
    """Frames of the clip at a key time, by MMAction2's sampler."""
    from mmaction.datasets.transforms import SampleAVAFrames

    step = dict(next(s for s in cfg.val_dataloader.dataset.pipeline if s['type'].endswith('SampleAVAFrames')))
    step.pop('type')
    results = dict(fps=FPS, timestamp=key, timestamp_start=0, shot_info=(0, num_frames))
    return SampleAVAFrames(**{**step, 'test_mode': True})(results)['frame_inds']


@torch.no_grad()
def demo_way(cfg: Config, network: torch.nn.Module, film: Path, keys: range, people: list[Tube]) -> tuple[Any, Parts]:
    """Score a film as MMAction2's demo does."""
    from mmaction.structures import ActionDataSample
    from mmengine.structures import InstanceData

    parts = Parts()
    capture, frames = cv2.VideoCapture(str(film)), []
    size = mmcv.rescale_size(FRAME, (np.inf, 256))
    more, frame = capture.read()
    while more:
        frames.append(mmcv.imresize(frame, size))
        more, frame = capture.read()
    parts.end('decode and resize')
    normal = cfg.model.data_preprocessor
    mean, std = np.array(normal.mean, np.float64), np.array(normal.std, np.float64)
    scale = np.tile(np.float32(size) / np.float32(FRAME), 2)
    scores = []
    for key in keys:
        images = [frames[index].astype(np.float32) for index in frames_of(cfg, key, len(frames))]
        for image in images:
            mmcv.imnormalize_(image, mean, std, to_rgb=True)
        clip = torch.from_numpy(np.stack(images).transpose((3, 0, 1, 2))[None])
        parts.end('normalise and stack')
        at = min(round(key * FPS), len(frames) - 1)
        boxes = torch.from_numpy(np.stack([person.boxes_px[at] for person in people]) * scale)
        sample = ActionDataSample(metainfo=dict(img_shape=size[::-1]))
        sample.proposals = InstanceData(bboxes=boxes)
        (found,) = network(clip, [sample], mode='predict')
        scores.append(found.pred_instances.scores.numpy())
        parts.end('network')
    return np.stack(scores), parts


@torch.no_grad()
def test_way(cfg: Config, network: torch.nn.Module, folder: Path, keys: range, people: list[Tube]) -> tuple[Any, Parts]:
    """Score a film whose frames lie in ``folder`` as MMAction2's test loop does."""
    from mmaction.registry import TRANSFORMS
    from mmengine.registry import DefaultScope

    num_frames = len(list(folder.iterdir()))
    with DefaultScope.overwrite_default_scope('mmaction'):
        steps = [TRANSFORMS.build(dict(step)) for step in cfg.val_dataloader.dataset.pipeline]
    scores, parts = [], Parts()
    for key in keys:
        at = min(round(key * FPS), num_frames - 1)
        boxes = np.stack([person.boxes_px[at] for person in people]) / np.float32([*FRAME, *FRAME])
        results: Any = dict(
            frame_dir=str(folder), filename_tmpl='img_{:05}.jpg', modality='RGB', offset=1, start_index=0,
            fps=FPS, timestamp=key, timestamp_start=0, shot_info=(0, num_frames), img_key=f'v,{key:04d}',
            proposals=boxes, gt_bboxes=boxes.copy(), gt_labels=np.zeros((len(boxes), 81), np.float32),
        )  # fmt: skip
        for step in steps:
            results = step(results)
        parts.end('decode and resize')
        (found,) = network.test_step({'inputs': [results['inputs']], 'data_samples': [results['data_samples']]})
        scores.append(found.pred_instances.scores.numpy())
        parts.end('normalise and network')
    return np.stack(scores), parts


def our_way(classifier: ClipClassifier, film: Path, people: list[Tube]) -> tuple[list[Tube], Parts]:
    """Score a film with the stage of the pipeline."""
    parts = Parts()
    look = classifier._network.look

    def watched(clips: Any) -> None:
        parts.end('decode and resize')
        look(clips)
        parts.end('normalise and network')

    classifier._network.look = watched  # type: ignore[method-assign]
    with FrameSource(str(film), threads=1) as frames:
        found = classifier.classify(frames, people, FRAME)
    parts.end('the rest')
    classifier._network.look = look  # type: ignore[method-assign]
    return found, parts


def opencv_frames(film: Path) -> Iterator[Frame]:
    """Yield the frames as OpenCV decodes them."""
    capture, index = cv2.VideoCapture(str(film)), 0
    more, image = capture.read()
    while more:
        yield Frame(index, index / FPS, image)
        index += 1
        more, image = capture.read()


def tell(name: str, parts: Parts, clips: int) -> float:
    """Print the parts of a way."""
    total = sum(parts.seconds.values())
    print(f'{name:<5} {total:8.2f} s {total / clips:7.3f} s/clip ({parts})', flush=True)
    return total


def compare(cfg: Config, seconds: float, count: int, folder: Path) -> None:
    """Print the times of the three ways and the differences of their scores."""
    film, people = folder / 'film.mp4', make_people(seconds, count)
    make_film(film, seconds)
    network = make_weights(cfg, folder / 'weights.pth')
    classifier = ClipClassifier(cfg, str(folder / 'weights.pth'))
    clips = len(people[0].frame_inds) // FPS
    keys = range(clips)
    found, parts = our_way(classifier, film, people)
    # The last key time may lie at the very end of the film, where the others have none.
    ours = np.stack([person.clip_scores[:clips] for person in found], axis=1)
    total = tell('ours', parts, len(found[0].clip_times_s))
    per_clip = total / len(found[0].clip_times_s)
    theirs, parts = demo_way(cfg, network, film, keys, people)
    demo_s = tell('demo', parts, clips)
    same = classifier.classify(opencv_frames(film), people, FRAME)
    with_opencv = np.stack([person.clip_scores[:clips] for person in same], axis=1)
    own, equal = (np.abs(scores - theirs[..., 1:]).max() for scores in (ours, with_opencv))
    print(
        f'ratio demo / ours {demo_s / clips / per_clip:.2f}, largest difference of scores {equal:.1e} on the same '
        f'frames, {own:.1e} with own decoders'
    )
    (folder / 'frames').mkdir()
    with FrameSource(str(film)) as frames:
        for frame in frames:
            cv2.imwrite(str(folder / 'frames' / f'img_{frame.index + 1:05}.jpg'), frame.image)
    theirs, parts = test_way(cfg, network, folder / 'frames', keys, people)
    test_s = tell('test', parts, clips)
    difference = np.abs(ours - theirs[..., 1:]).max()
    print(f'ratio test / ours {test_s / clips / per_clip:.2f}, largest difference {difference:.1e} (of JPEG files)')
    times = []
    for number in (1, 10, 1, 10):
        start = time.perf_counter()
        our_way(classifier, film, make_people(seconds, number))
        times.append(time.perf_counter() - start)
    print(f'10 people / 1 person: {min(times[1::2]) / min(times[::2]):.3f}', flush=True)


def peak_of(film: Path, weights: Path, seconds: float, out: Any) -> None:
    """Put the peak memory in bytes of the clip stage on a film into ``out``; run in a process of its own."""
    set_threads()
    our_way(ClipClassifier(read_model('small'), str(weights)), film, make_people(seconds, 5))
    status = Path('/proc/self/status').read_text()
    out.put(int(status.partition('VmHWM:')[2].split()[0]) * 1024)


def print_memory(lengths: list[float], folder: Path) -> None:
    """Print the peak memory for films of several lengths, with the small network, whose own part is small."""
    make_weights(read_model('small'), folder / 'small.pth')
    context, peaks = multiprocessing.get_context('spawn'), []
    for seconds in lengths:
        film = folder / f'{seconds:g}.mp4'
        make_film(film, seconds)
        out = context.Queue()
        child = context.Process(target=peak_of, args=(film, folder / 'small.pth', seconds, out))
        child.start()
        peaks.append(out.get())
        child.join()
        print(f'peak memory of a film of {seconds:g} s: {peaks[-1] / MEBIBYTE:.0f} MiB', flush=True)
    print(f'ratio {peaks[-1] / peaks[0]:.3f}')


def set_threads() -> None:
    """Use one thread for everything."""
    torch.set_num_threads(1)
    cv2.setNumThreads(1)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--model', choices=['r50', 'small'], default='r50', help='SlowFast R50 8x8, or a small one')
    parser.add_argument('--seconds', type=float, default=20, help='length of the film')
    parser.add_argument('--people', type=int, default=5)
    parser.add_argument('--memory', type=float, nargs='*', default=[60, 600], help='lengths of films; none skips it')
    args = parser.parse_args()
    set_threads()
    with tempfile.TemporaryDirectory() as folder:
        if args.seconds:
            print(f'{args.model}, film of {args.seconds:g} s, {args.people} people, one thread')
            compare(read_model(args.model), args.seconds, args.people, Path(folder))
        if args.memory:
            print_memory(args.memory, Path(folder))


if __name__ == '__main__':
    main()
