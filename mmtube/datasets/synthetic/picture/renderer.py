"""The renderer of SEAL-mini: from a film's script to pictures and to the outlines of the people in them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from ..figures.body import BodyTrack, track_body
from ..figures.geometry import Camera, Lens
from ..figures.stage3d import Stage3D
from ..numerics import generator
from ..script import FilmScript
from .furniture import Part, furniture_parts, occluder_box
from .outlines import FRACTION_BITS, UNIT
from .painter import BodyPainter, Layer, paint_shadow, solid_strokes
from .prop_shapes import solids
from .scenery import MARGIN_PX, backdrop

CHUNK = 64  # frames whose polygons are kept
NOISE, NOISE_TILE = 3, 61  # grey levels, and the pixels by which the tile can be displaced


@dataclass(eq=False)
class _Set:
    """What stands still in a shot: its backdrop with the margin for shifts, and the furniture."""

    canvas: np.ndarray
    margin_px: tuple[int, int]
    parts: list[Part]


class FilmRenderer:
    """Draw a film and tell where the people in it are.

    The joints of all frames are worked out at once; polygons are made for some frames ahead and pictures one by one, so
    that frames in order are fast and memory does not grow with the film.

    Args:
        script (FilmScript): The film.

    Examples:
        >>> renderer = FilmRenderer(script)
        >>> renderer.draw(0).shape, renderer.body(0).boxes_px().shape
        ((240, 320, 3), (250, 4))
    """

    def __init__(self, script: FilmScript) -> None:
        self.script = script
        self.lens = Lens(script)
        self.stage = Stage3D(script)
        self._bodies: dict[int, BodyTrack] = {}
        self._sets: dict[int, _Set] = {}
        self._shot_of = np.zeros(script.num_frames, np.int64)
        for index, shot in enumerate(script.shots):
            self._shot_of[shot.start : shot.end] = index
        self._painters = [
            BodyPainter(who.look, self.stage.skeletons[p], self.body(p), self.lens, who.present)
            for p, who in enumerate(script.people)
        ]
        self._chunk, self._layers, self._order = -1, [], np.zeros((0, 0), np.int64)
        self._shadows = self._ground_shadows()
        width, height = script.size
        rng = generator(script.seed, 4321)
        tile = rng.integers(-NOISE, NOISE + 1, (height + NOISE_TILE, width + NOISE_TILE, 1)).astype(np.int8)
        tile = np.repeat(tile, 3, axis=2)
        self._brighter, self._darker = np.maximum(tile, 0).astype(np.uint8), np.maximum(-tile, 0).astype(np.uint8)

    def body(self, person: int) -> BodyTrack:
        """Return where a person's body is in the picture.

        Args:
            person (int): Index into the people of the script.

        Returns:
            BodyTrack: Outlines of all frames, the shift included.
        """
        if person not in self._bodies:
            who = self.script.people[person]
            self._bodies[person] = track_body(self.stage.skeletons[person], who.look, self.lens, who.present)
        return self._bodies[person]

    def occluders(self, shot: int) -> list[tuple[np.ndarray, float]]:
        """Return what the furniture of a shot can hide.

        Args:
            shot (int): Index into the shots of the script.

        Returns:
            list[tuple[np.ndarray, float]]: For each thing its (4,) float64 xyxy box in pixels at shift 0, and its
            distance Z in metres; people behind that are hidden by the box.
        """
        camera = Camera.of(self.script.shots[shot], self.script.size[0])
        return [occluder_box(item, camera) for item in self.script.shots[shot].furniture]

    def prop_boxes_px(self, prop: int) -> np.ndarray:
        """Return the (T, 4) float64 xyxy boxes of an object in pixels, not clipped, NaN where it is absent."""
        path, total = self.stage.props[prop], self.script.num_frames
        everything = slice(0, total)
        extents = [
            solid_strokes(solid, self.lens)[1] for solid in solids(path, self.script.props[prop].color, everything)
        ]
        stacked = np.stack(extents)
        boxes = np.concatenate([stacked[..., :2].min(axis=0), stacked[..., 2:].max(axis=0)], -1)
        boxes[~path.present] = np.nan
        return boxes

    def draw(self, index: int) -> np.ndarray:
        """Draw one frame.

        Args:
            index (int): Frame, from 0.

        Returns:
            np.ndarray: (H, W, 3) uint8 BGR, contiguous, of its own.

        Raises:
            IndexError: If the film has no such frame.
        """
        if not 0 <= index < self.script.num_frames:
            raise IndexError(f'{self.script.name} has {self.script.num_frames} frames, no frame {index}')
        shot_index = int(self._shot_of[index])
        shot, still = self.script.shots[shot_index], self._set(shot_index)
        shift_x, shift_y = (int(value) for value in shot.shift_px[index - shot.start])
        width, height = self.script.size
        top, left = still.margin_px[1] - shift_y, still.margin_px[0] - shift_x
        image = still.canvas[top : top + height, left : left + width].copy()
        for person, rows in enumerate(self._shadows):
            if self.script.people[person].present[index]:
                paint_shadow(image, *rows[index].tolist())
        self._prepare(index)
        frame = index - self._chunk
        for item in self._order[:, frame]:
            layer = self._layers[item]
            if isinstance(layer, Layer):
                if layer.shown[frame]:
                    layer.paint(image, frame)
            else:
                offset = np.array([shift_x * UNIT, shift_y * UNIT], np.int32)
                for polygon, color in layer.polygons:
                    cv2.fillConvexPoly(image, polygon + offset, color, cv2.LINE_AA, FRACTION_BITS)
        x, y = index * 37 % NOISE_TILE, index * 23 % NOISE_TILE
        cv2.add(image, self._brighter[y : y + height, x : x + width], dst=image)
        cv2.subtract(image, self._darker[y : y + height, x : x + width], dst=image)
        return image

    def _ground_shadows(self) -> list[np.ndarray]:
        """Return for each person (T, 4) int64: column, row, and half width and height of the shadow."""
        shadows = []
        for stand, skeleton in zip(self.stage.stands, self.stage.skeletons, strict=True):
            middle = skeleton['l_ankle'] + (skeleton['r_ankle'] - skeleton['l_ankle']) * 0.5
            middle[:, 1] = 0.0
            spot = self.lens.project(middle[:, None])[:, 0]
            scale = self.lens.scale(middle[:, None])[:, 0]
            wide = 0.17 * stand.height_m * scale
            flat = np.minimum(np.abs(self.lens.height_m) / np.maximum(middle[:, 2], 0.3), 0.6)
            values = np.stack([spot[:, 0], spot[:, 1], np.maximum(wide, 2), np.maximum(wide * flat, 1)], -1)
            shadows.append(np.clip(np.floor(values), -4000, 4000).astype(np.int64))
        return shadows

    def _set(self, index: int) -> _Set:
        """Return what stands still in a shot; only the last one is kept."""
        if index not in self._sets:
            shot, size = self.script.shots[index], self.script.size
            camera = Camera.of(shot, size[0])
            largest = np.abs(shot.shift_px).max(axis=0) if len(shot.shift_px) else (0, 0)
            margin = (max(MARGIN_PX[0], int(largest[0])), max(MARGIN_PX[1], int(largest[1])))
            canvas = backdrop(shot.scene, shot.seed, camera, size, margin)
            parts = [
                part
                for number, item in enumerate(shot.furniture)
                for part in furniture_parts(item, camera, shot.seed + number)
            ]
            self._sets = {index: _Set(canvas, margin, parts)}
        return self._sets[index]

    def _prepare(self, index: int) -> None:
        """Make the polygons of the frames near one, within its shot."""
        shot_index = int(self._shot_of[index])
        shot = self.script.shots[shot_index]
        start = shot.start + (index - shot.start) // CHUNK * CHUNK
        if start == self._chunk:
            return
        frames = slice(start, min(start + CHUNK, shot.end))
        lens = self.lens.part(frames)
        layers: list[Layer | Part] = []
        for painter, who in zip(self._painters, self.script.people, strict=True):
            if who.present[frames].any():
                layers += painter.layers(frames)
        for path, what in zip(self.stage.props, self.script.props, strict=True):
            if what.present[frames].any():
                strokes = [
                    stroke for solid in solids(path, what.color, frames) for stroke in solid_strokes(solid, lens)[0]
                ]
                layers.append(Layer(path.sort_m[frames], what.present[frames], strokes))
        layers += self._set(shot_index).parts
        count = frames.stop - frames.start
        depths = [np.broadcast_to(layer.depth_m, (count,)) for layer in layers]
        stacked = np.stack(depths) if depths else np.zeros((0, count))
        self._chunk, self._layers = start, layers
        self._order = np.argsort(-stacked, axis=0, kind='stable')


def film_strip(
    renderer: FilmRenderer, frame_inds: Sequence[int], captions: Sequence[str] = (), columns: int = 8
) -> np.ndarray:
    """Return some frames of a film side by side, each with a line of text under it.

    Args:
        renderer (FilmRenderer): The film.
        frame_inds (Sequence[int]): Frames.
        captions (Sequence[str]): A line for each frame; missing ones are empty. Defaults to none.
        columns (int): Frames in a row. Defaults to 8.

    Returns:
        np.ndarray: (H, W, 3) uint8 BGR.
    """
    width, height = renderer.script.size
    rows = max(-(-len(frame_inds) // columns), 1)
    cell = height + 18
    sheet = np.full((rows * cell, columns * (width + 2), 3), 255, np.uint8)
    for place, index in enumerate(frame_inds):
        y, x = place // columns * cell, place % columns * (width + 2)
        sheet[y : y + height, x : x + width] = renderer.draw(int(index))
        if place < len(captions):
            at = (x + 3, y + height + 13)
            cv2.putText(sheet, captions[place], at, cv2.FONT_HERSHEY_SIMPLEX, 0.42, (20, 20, 20), 1, cv2.LINE_AA)
    return sheet
