"""What happens in a film, before anything is drawn: the contract between the director and the renderer.

The world is in metres. X goes right, Y up (0 is the ground), Z away from the camera. A camera stands at (0, height, 0)
and looks along Z; a point at (X, Y, Z) appears at pixel ``width / 2 + focal_px * X / Z + shift_px[0]`` and
``horizon_px + focal_px * (height_m - Y) / Z + shift_px[1]``. Shifts are whole pixels, so that a panned picture is a
cut-out of a larger one, exactly.

Angles are in turns (1 is a full circle). A person with yaw 0 faces right (+X), 0.25 away from the camera (+Z),
0.5 left, 0.75 towards the camera.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

Color = tuple[int, int, int]  # BGR, 0 to 255
PROP_KINDS = ('box', 'cart', 'ball', 'cup', 'phone', 'book', 'broom', 'cloth', 'knife')
FURNITURE_KINDS = ('chair', 'table', 'pillar', 'bush', 'sign')
SCENES = ('street', 'park', 'gym', 'kitchen', 'office')
GRIPS = ('right', 'left', 'both')


@dataclass(frozen=True)
class Look:
    """How a person looks; the clothes tell people apart.

    Args:
        skin, hair, shirt, trousers, shoes (Color): BGR.
        height_m (float): Body height.
        girth (float): Thickness of body and limbs, 1 is average.
        hair_style (int): 0 short, 1 long, 2 cap, 3 bald.
        long_sleeves (bool): Whether the arms have the shirt's colour down to the wrist.
        stripe (Color | None): Colour of a band across the chest, or None.
    """

    skin: Color
    hair: Color
    shirt: Color
    trousers: Color
    shoes: Color
    height_m: float
    girth: float
    hair_style: int
    long_sleeves: bool
    stripe: Color | None


@dataclass(frozen=True)
class Act:
    """One atomic action of a person.

    Args:
        action (str): Name in :data:`~.vocabulary.BY_NAME`.
        start_s (float): Start in film time.
        end_s (float): End in film time.
        partner (int | None): The other person, an index into ``FilmScript.people``.
        prop (int | None): The object, an index into ``FilmScript.props``.
    """

    action: str
    start_s: float
    end_s: float
    partner: int | None = None
    prop: int | None = None


@dataclass(frozen=True)
class Activity:
    """One complex activity of a person: a name in ``activities.COMPLEX_NAMES``, with start and end in film time."""

    name: str
    start_s: float
    end_s: float


@dataclass(eq=False)
class PersonScript:
    """One person through the film; arrays have one row for each frame.

    Args:
        look (Look): Clothes and build.
        position_m (np.ndarray): (T, 2) float64 X and Z of the point on the ground under the hips. It may jump at a
            shot change and while the person is absent, nowhere else.
        yaw (np.ndarray): (T,) float64 turns.
        present (np.ndarray): (T,) bool, False while the person is not in the scene at all.
        seated (np.ndarray): (T,) bool, True from the end of 'sit down' to the start of 'stand up'.
        acts (list[Act]): In order of their starts; an ``upper`` action may overlap a walk or a run, or sitting.
        activities (list[Activity]): In order, without overlap.
        subject (bool): Whether the person is annotated.
    """

    look: Look
    position_m: np.ndarray
    yaw: np.ndarray
    present: np.ndarray
    seated: np.ndarray
    acts: list[Act] = field(default_factory=list)
    activities: list[Activity] = field(default_factory=list)
    subject: bool = False


@dataclass(eq=False)
class PropScript:
    """One object that people handle; arrays have one row for each frame.

    Args:
        kind (str): One of :data:`PROP_KINDS`.
        color (Color): BGR.
        rest_m (np.ndarray): (T, 3) float64 X, Y, Z of its bottom where nobody holds it (the renderer ignores it
            while it is held).
        holder (np.ndarray): (T,) int16 index of the person who holds or handles it, -1 for nobody.
        grip (str): One of :data:`GRIPS`, the hands that hold it. The renderer follows the hands; a ball that is
            thrown, bounced or kicked, and a box that is lifted, put down or handed over, moves as the act says. A
            cart is on the ground before its holder.
        present (np.ndarray): (T,) bool, False while it is not in the scene.
    """

    kind: str
    color: Color
    rest_m: np.ndarray
    holder: np.ndarray
    grip: str
    present: np.ndarray


@dataclass(frozen=True)
class Furniture:
    """A thing that stands still during a shot: a chair to sit on, a table to work at, a pillar to vanish behind.

    Args:
        kind (str): One of :data:`FURNITURE_KINDS`.
        x_m (float): Centre.
        z_m (float): Distance of its front from the camera.
        width_m (float): Width.
        height_m (float): Height; a chair's is that of its seat (0.45), a table's that of its top (0.85).
        color (Color): BGR.
    """

    kind: str
    x_m: float
    z_m: float
    width_m: float
    height_m: float
    color: Color


@dataclass(eq=False)
class Shot:
    """What one camera shows from one cut to the next.

    Args:
        start (int): First frame.
        end (int): Frame after the last.
        scene (str): One of :data:`SCENES`, the backdrop.
        seed (int): Of the backdrop's details.
        focal_px (float): Focal length; 300 shows 1.75 m at 3.5 m as 150 pixels.
        height_m (float): Height of the camera.
        horizon_px (float): Row of the horizon.
        shift_px (np.ndarray): (end - start, 2) int32 shift of the picture in x and y: pan and shake.
        furniture (list[Furniture]): Things of this shot.
    """

    start: int
    end: int
    scene: str
    seed: int
    focal_px: float
    height_m: float
    horizon_px: float
    shift_px: np.ndarray
    furniture: list[Furniture] = field(default_factory=list)


@dataclass(eq=False)
class FilmScript:
    """A whole film; the shots cover its frames without a gap.

    Args:
        name (str): File name without suffix.
        seed (int): Everything in the film follows from it and the options of the set.
        fps (int): 25 or 30.
        num_frames (int): T of all arrays.
        size (tuple[int, int]): Width and height in pixels.
        people (list[PersonScript]): Up to 6.
        props (list[PropScript]): Objects.
        shots (list[Shot]): In order.
    """

    name: str
    seed: int
    fps: int
    num_frames: int
    size: tuple[int, int]
    people: list[PersonScript]
    props: list[PropScript]
    shots: list[Shot]
