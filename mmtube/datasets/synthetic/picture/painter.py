"""Bodies and objects as coloured polygons, sorted by distance when they are drawn."""

from __future__ import annotations

from dataclasses import dataclass, field

import cv2
import numpy as np

from ..figures.body import LIMBS, OUTLINE_PX, BodyTrack
from ..figures.geometry import Lens, dot, unit
from ..figures.skeleton import HEAD_RADIUS, SIDES, Skeleton
from ..numerics import smoothstep
from ..script import Color, Look
from .outlines import FRACTION_BITS, fixed, hull, shade
from .prop_shapes import FACES, Block, Solid

INK = 38  # percent of its colour that the line round a part has
FAR_SIDE = 84  # percent, of the arm and the leg on the other side of the body


@dataclass(frozen=True, eq=False)
class Stroke:
    """One polygon in every frame.

    Args:
        polygons (np.ndarray): (F, V, 2) int32 sixteenths of a pixel.
        color (Color): BGR.
        shown (np.ndarray | None): (F,) bool, None for always.
    """

    polygons: np.ndarray
    color: Color
    shown: np.ndarray | None = None


@dataclass(eq=False)
class Layer:
    """Strokes that are drawn one after the other, at one distance in each frame.

    Args:
        depth_m (np.ndarray): (F,) Z by which layers are sorted.
        shown (np.ndarray): (F,) bool.
        strokes (list[Stroke]): In the order of drawing.
    """

    depth_m: np.ndarray
    shown: np.ndarray
    strokes: list[Stroke] = field(default_factory=list)

    def paint(self, image: np.ndarray, frame: int) -> None:
        """Draw one frame of it."""
        for stroke in self.strokes:
            if stroke.shown is None or stroke.shown[frame]:
                cv2.fillConvexPoly(image, stroke.polygons[frame], stroke.color, cv2.LINE_AA, FRACTION_BITS)


class BodyPainter:
    """Turn some frames of a body into layers.

    Args:
        look (Look): Clothes and build.
        skeleton (Skeleton): Joints of all frames.
        track (BodyTrack): Outlines of all frames.
        lens (Lens): The cameras.
        present (np.ndarray): (T,) bool.
    """

    def __init__(self, look: Look, skeleton: Skeleton, track: BodyTrack, lens: Lens, present: np.ndarray) -> None:
        self.look, self.skeleton, self.track, self.lens, self.present = look, skeleton, track, lens, present

    def layers(self, frames: slice) -> list[Layer]:
        """Return the layers of the frames: legs, torso, arms, head, and hair that hangs down."""
        # Frames without the person are not drawn; any number will do there.
        self._ends = np.nan_to_num(self.track.ends_px[frames])
        self._radii = np.nan_to_num(self.track.radii_px[frames], nan=1.0)
        self._joints = self.skeleton.joints_m[frames]
        self._shown = self.present[frames]
        self._frames, self._view = frames, self.lens.part(frames)
        self._pixels_per_m = self._view.scale(self._joint('head')[:, None])[:, 0]
        layers = [self._torso(), self._head()]
        for side in SIDES:
            layers += [*self._leg(side), *self._arm(side)]
        if self.look.hair_style == 1:
            layers.append(self._long_hair())
        return layers

    def _joint(self, name: str) -> np.ndarray:
        return self.skeleton[name][self._frames]

    def _depth(self, limb: str) -> np.ndarray:
        return np.nan_to_num(self.track.depth_m[self._frames, LIMBS.index(limb)])

    def _limb(self, name: str, inset_px: float = 2 * OUTLINE_PX, to: float = 1.0) -> np.ndarray:
        """Return the polygons of a limb without its line, or of the part of it that a sleeve covers."""
        index = LIMBS.index(name)
        ends, radii = self._ends[:, index], self._radii[:, index]
        if to < 1.0:
            ends = np.stack([ends[:, 0], ends[:, 0] + (ends[:, 1] - ends[:, 0]) * to], 1)
            radii = np.stack([radii[:, 0], radii[:, 0] + (radii[:, 1] - radii[:, 0]) * to], 1)
        return hull(ends, np.maximum(radii - inset_px, 0.3))

    def _is_far(self, side: str) -> np.ndarray:
        other = 'l' if side == 'r' else 'r'
        return self._joint(f'{side}_hip')[:, 2] > self._joint(f'{other}_hip')[:, 2]

    def _chain(self, side: str, limbs: list[tuple[str, Color]]) -> tuple[Layer, Layer]:
        """Return limbs that hang together, once as they look on the far side of the body and once on the near one.

        The line round all of them comes first, so that no line crosses a joint.
        """
        depth, far = self._depth(f'{side}_{limbs[0][0]}'), self._is_far(side)
        lines = [self._limb(f'{side}_{name}', 0.0) for name, _ in limbs]
        insides = [self._limb(f'{side}_{name}') for name, _ in limbs]
        result = []
        for percent, shown in ((FAR_SIDE, far), (100, ~far)):
            strokes = [Stroke(line, shade(color, INK)) for line, (_, color) in zip(lines, limbs, strict=True)]
            strokes += [
                Stroke(inside, shade(color, percent)) for inside, (_, color) in zip(insides, limbs, strict=True)
            ]
            result.append(Layer(depth, self._shown & shown, strokes))
        return result[0], result[1]

    def _leg(self, side: str) -> tuple[Layer, Layer]:
        look = self.look
        limbs = [('foot', look.shoes), ('shin', look.trousers), ('thigh', look.trousers)]
        return self._chain(side, limbs)

    def _arm(self, side: str) -> tuple[Layer, Layer]:
        look = self.look
        below = look.shirt if look.long_sleeves else look.skin
        layers = self._chain(side, [('hand', look.skin), ('forearm', below), ('upper_arm', below)])
        if not look.long_sleeves:
            sleeve = self._limb(f'{side}_upper_arm', 0.0, to=0.62)
            for layer, percent in zip(layers, (FAR_SIDE, 100), strict=True):
                layer.strokes.append(Stroke(sleeve, shade(look.shirt, percent)))
        return layers

    def _torso(self) -> Layer:
        look = self.look
        names = ('l_side', 'r_side', 'trunk')
        indices = [LIMBS.index(name) for name in names]
        ends = self._ends[:, indices].reshape(len(self._ends), -1, 2)
        radii = self._radii[:, indices].reshape(len(self._ends), -1)
        layer = Layer(self._depth('trunk'), self._shown)
        layer.strokes.append(Stroke(hull(ends, radii, 24), shade(look.shirt, INK)))
        hips = [(LIMBS.index('l_side'), 1), (LIMBS.index('r_side'), 1), (LIMBS.index('trunk'), 1)]
        at = np.stack([self._ends[:, limb, end] for limb, end in hips], 1)
        size = np.stack([self._radii[:, limb, end] for limb, end in hips], 1)
        layer.strokes.append(Stroke(hull(at, size - 2 * OUTLINE_PX), look.trousers))
        # The shirt ends above the hips.
        low = ends.copy()
        for first in (0, 2, 4):
            low[:, first + 1] = ends[:, first] + (ends[:, first + 1] - ends[:, first]) * 0.84
        layer.strokes.append(Stroke(hull(low, radii - 2 * OUTLINE_PX, 24), look.shirt))
        light = low + (np.array([-0.25, -0.1]) * radii[:, :, None])
        layer.strokes.append(Stroke(hull(light, radii * 0.62, 24), shade(look.shirt, 114)))
        if look.stripe is not None:
            layer.strokes.append(self._stripe(ends, radii, look.stripe))
        return layer

    def _stripe(self, ends: np.ndarray, radii: np.ndarray, color: Color) -> Stroke:
        """Return a band across the chest, as broad as the chest is there."""
        at = np.stack([ends[:, first] + (ends[:, first + 1] - ends[:, first]) * 0.38 for first in (0, 2, 4)], 1)
        spine = ends[:, 5] - ends[:, 4]
        half = radii[:, 4] * 0.62
        long = np.sqrt(spine[:, 0] * spine[:, 0] + spine[:, 1] * spine[:, 1])
        # A body that leans towards the camera shows less of the band.
        along = spine / np.maximum(long, 1e-6)[:, None] * np.minimum(half, 0.18 * long)[:, None]
        across = np.stack([-along[:, 1], along[:, 0]], -1) / np.maximum(np.minimum(half, 0.18 * long), 1e-6)[:, None]
        out = at[..., 0] * across[:, None, 0] + at[..., 1] * across[:, None, 1]
        girth = radii[:, (0, 2, 4)] - 2 * OUTLINE_PX
        left, right = (out + girth).max(axis=1), (out - girth).min(axis=1)
        middle = at[:, 2] - across * out[:, 2, None]
        corners = [middle + across * left[:, None], middle + across * right[:, None]]
        quad = np.stack([corners[0] - along, corners[1] - along, corners[1] + along, corners[0] + along], 1)
        return Stroke(fixed(quad), color)

    def _ball(self, point_m: np.ndarray, radius: np.ndarray | float, second_m: np.ndarray | None = None) -> np.ndarray:
        """Return circles at (F, 3) points, or hulls of two, with a radius in head radii."""
        points = [point_m] if second_m is None else [point_m, second_m]
        pixels = self._view.project(np.stack(points, 1))
        r = np.broadcast_to(np.asarray(radius) * self._head_px, (len(pixels),))
        return hull(pixels, np.repeat(np.maximum(r, 0.2)[:, None], len(points), 1), 12)

    def _head(self) -> Layer:
        look, size = self.look, self.skeleton.height_m * HEAD_RADIUS
        fwd, left, up = (getattr(self.skeleton, f'head_{axis}')[self._frames] for axis in ('fwd', 'left', 'up'))
        head = self._joint('head')
        self._head_px = self._pixels_per_m * size
        to_camera = np.stack([-head[:, 0], self._view.height_m - head[:, 1], -head[:, 2]], -1)
        to_camera = unit(to_camera)
        facing = dot(fwd, to_camera)
        layer = Layer(self._depth('head'), self._shown)
        strokes = layer.strokes
        bald = look.hair_style == 3
        hair = look.skin if bald else look.hair

        def at(f: float, side: float, u: float) -> np.ndarray:
            return head + (fwd * f + left * side + up * u) * size

        ink = shade(hair, INK) if not bald else shade(look.skin, 55)
        strokes.append(Stroke(self._limb('neck', 0.0), shade(look.skin, 55)))
        strokes.append(Stroke(self._limb('neck'), shade(look.skin, 86)))
        strokes.append(Stroke(self._limb('head', 0.0), ink))
        if look.hair_style in (0, 2):
            cap = shade(look.stripe or look.shoes, 100)
            if look.hair_style == 0:
                strokes.append(Stroke(self._limb('hair', 0.0), ink))
                strokes.append(Stroke(self._limb('hair'), hair))
        strokes.append(Stroke(self._limb('head'), hair))
        if look.hair_style == 2:
            strokes.append(Stroke(self._ball(at(0.0, 0.0, 0.28), 0.86), shade(cap, INK)))
            strokes.append(Stroke(self._ball(at(0.0, 0.0, 0.28), 0.80), cap))
        turned = smoothstep((facing + 0.60) / 0.55)
        seen = turned > 0.15
        low = -0.16 if look.hair_style != 2 else -0.26
        face = self._ball(at(0.27, 0.0, low), 0.74 * turned, at(0.22, 0.0, low - 0.16))
        strokes.append(Stroke(face, look.skin, seen))
        profile = np.abs(facing) < 0.85
        strokes.append(Stroke(self._ball(at(0.92, 0.0, -0.22), 0.13), shade(look.skin, 88), profile & seen))
        for side in (0.34, -0.34):
            outwards = unit(fwd * 0.8 + left * side)
            visible = dot(outwards, to_camera) > 0.12
            strokes.append(Stroke(self._ball(at(0.84, side, 0.02), 0.085), (25, 25, 30), visible))
        strokes.append(
            Stroke(self._ball(at(0.86, 0.16, -0.52), 0.06, at(0.86, -0.16, -0.52)), (60, 50, 110), facing > 0.3)
        )
        if look.hair_style == 2:
            brim = self._ball(at(0.55, 0.0, 0.30), 0.14, at(1.08, 0.0, 0.24))
            strokes.append(Stroke(brim, shade(cap, 60), facing > -0.45))
        return layer

    def _long_hair(self) -> Layer:
        """Return hair down to the shoulders: behind the head, before the back."""
        layer = Layer(self._depth('hair'), self._shown)
        layer.strokes.append(Stroke(self._limb('hair', 0.0), shade(self.look.hair, INK)))
        layer.strokes.append(Stroke(self._limb('hair'), self.look.hair))
        return layer


def solid_strokes(solid: Solid, lens: Lens) -> tuple[list[Stroke], np.ndarray]:
    """Turn a part of an object into polygons.

    Args:
        solid (Solid): A row for each of some frames.
        lens (Lens): The cameras of those frames.

    Returns:
        tuple[list[Stroke], np.ndarray]: The strokes, and the (F, 4) float64 xyxy extent in pixels.
    """
    points = solid.corners_m if isinstance(solid, Block) else solid.ends_m
    pixels = lens.project(points)
    if not isinstance(solid, Block):
        radii = lens.scale(points) * np.array(solid.radii_m)
        radii = np.maximum(radii, 0.6)
        extent = np.concatenate([(pixels - radii[..., None]).min(axis=1), (pixels + radii[..., None]).max(axis=1)], -1)
        inside = np.maximum(radii - OUTLINE_PX, 0.45)
        outside = hull(pixels, radii + OUTLINE_PX * 0.6)
        return [Stroke(outside, shade(solid.color, INK)), Stroke(hull(pixels, inside), solid.color)], extent
    extent = np.concatenate([pixels.min(axis=1), pixels.max(axis=1)], -1)
    strokes = [Stroke(hull(pixels, np.full(pixels.shape[:2], 0.6), 24), shade(solid.color, INK))]
    for corners, percent in FACES:
        quad = pixels[:, list(corners)]
        one, two = quad[:, 2] - quad[:, 0], quad[:, 3] - quad[:, 1]
        seen = one[:, 0] * two[:, 1] - one[:, 1] * two[:, 0] < 0
        strokes.append(Stroke(fixed(quad), shade(solid.color, percent), seen))
    return strokes, extent


_SHADOWS: dict[tuple[int, int], np.ndarray] = {}


def soft_ellipse(half_width: int, half_height: int) -> np.ndarray:
    """Return how much darker the ground is under a person, (2h+1, 2w+1, 1) uint16 of 256."""
    key = (half_width, half_height)
    if key not in _SHADOWS:
        y, x = np.mgrid[-half_height : half_height + 1, -half_width : half_width + 1].astype(np.int64)
        share = 4096 - (x * x * 4096 // (half_width * half_width + 1) + y * y * 4096 // (half_height * half_height + 1))
        _SHADOWS[key] = np.minimum(np.maximum(share, 0) * 150 // 4096, 100).astype(np.uint16)[..., None]
    return _SHADOWS[key]


def paint_shadow(image: np.ndarray, x_px: int, y_px: int, half_width: int, half_height: int) -> None:
    """Darken an ellipse on the ground, in place."""
    mask = soft_ellipse(half_width, half_height)
    height, width = image.shape[:2]
    top, left = y_px - half_height, x_px - half_width
    y0, y1 = max(top, 0), min(top + mask.shape[0], height)
    x0, x1 = max(left, 0), min(left + mask.shape[1], width)
    if y0 < y1 and x0 < x1:
        part = image[y0:y1, x0:x1]
        part -= ((part * mask[y0 - top : y1 - top, x0 - left : x1 - left]) >> 8).astype(np.uint8)
