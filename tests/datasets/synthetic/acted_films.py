"""Films of one act, to look at one thing."""

import numpy as np

from mmtube.datasets.synthetic.script import Act, FilmScript, Look, PersonScript, PropScript, Shot
from mmtube.datasets.synthetic.vocabulary import BY_NAME

GRIPS = {'box': 'both', 'cart': 'both', 'book': 'both', 'broom': 'both'}
AHEAD_M = {'cart': 0.8, 'ball': 0.45, 'box': 0.42}
KEEPS_BEFORE = ('carry', 'put down', 'hand over', 'drink', 'phone call', 'read', 'sweep', 'throw ball', 'bounce ball')
KEEPS_AFTER = ('carry', 'lift', 'drink', 'phone call', 'read', 'sweep', 'bounce ball', 'hand over')


def make_look(height_m=1.75, hair_style=0, shirt=(60, 60, 200), **kwargs):
    values = dict(skin=(150, 180, 225), hair=(30, 40, 60), trousers=(110, 70, 40), shoes=(30, 30, 30), girth=1.0)
    values.update(long_sleeves=False, stripe=None)
    values.update(kwargs)
    return Look(shirt=shirt, height_m=height_m, hair_style=hair_style, **values)


def make_film(action, yaw=0.0, seconds=2.0, fps=25, z_m=4.0, look=None, size=(320, 240), shift_px=(0, 0), grip=None):
    """Half a second of standing, one act, and half a second more; partners have the act too."""
    kind = BY_NAME[action].prop
    frames = int((seconds + 1.0) * fps)
    times_s = np.arange(frames) / fps
    acting = (times_s >= 0.5) & (times_s < 0.5 + seconds)
    fwd = np.array([np.cos(2 * np.pi * yaw), np.sin(2 * np.pi * yaw)])
    way_m = np.clip(times_s - 0.5, 0.0, seconds) * np.mean(BY_NAME[action].speed_mps)
    position_m = np.array([0.0, z_m]) + (way_m - way_m[-1] / 2)[:, None] * fwd
    pair = BY_NAME[action].group == 'pp' or action == 'hand over'
    act = Act(action, 0.5, 0.5 + seconds, 1 if pair else None, 0 if kind else None)
    still = np.zeros(frames, bool)
    seated = {'sit down': times_s >= 0.5 + seconds, 'stand up': times_s < 0.5}.get(action, still)
    turning = 0.5 * np.clip((times_s - 0.5) / seconds, 0, 1) if action == 'turn around' else 0.0
    everywhen = np.ones(frames, bool)
    people = [PersonScript(look or make_look(), position_m, yaw + turning, everywhen.copy(), seated, [act])]
    people[0].yaw = np.broadcast_to(np.asarray(people[0].yaw, float), (frames,)).copy()
    if pair:
        gap = -0.6 if action == 'lead by hand' else 0.45 if action == 'hug' else 0.75
        theirs = [Act(action, 0.5, 0.5 + seconds, 0, act.prop)]
        other_yaw = np.full(frames, yaw if action == 'lead by hand' else yaw + 0.5)
        acts = [] if action in ('push person', 'hit person') else theirs
        other = make_look(1.68, shirt=(190, 120, 40))
        people.append(PersonScript(other, position_m + fwd * gap, other_yaw, everywhen.copy(), still, acts))
    props = []
    if kind:
        holder = np.where(acting, 0, -1).astype(np.int16)
        if action in KEEPS_BEFORE:
            holder[times_s < 0.5] = 0
        if action in KEEPS_AFTER:
            holder[times_s >= 0.5 + seconds] = 0
        if action == 'hand over':
            holder[times_s >= 0.5 + seconds / 2] = 1
        rest_m = np.zeros((frames, 3))
        rest_m[:, [0, 2]] = position_m + fwd * AHEAD_M.get(kind, 0.42)
        rest_m[:, 1] = 0.85 if kind in ('cloth', 'knife') else 0.0
        props.append(
            PropScript(kind, (30, 110, 230), rest_m, holder, grip or GRIPS.get(kind, 'right'), everywhen.copy())
        )
    shift = np.tile(np.array(shift_px, np.int32), (frames, 1))
    shot = Shot(0, frames, 'gym', 3, 300.0, 1.3, 90.0, shift)
    return FilmScript(action, 1, fps, frames, size, people, props, [shot])
