# SPDX-License-Identifier: Apache-2.0
"""Where the camera stands, and the light."""
from typing import NamedTuple

import numpy as np

from . import materials as M
from .geometry import turn, unit


class Camera(NamedTuple):
    """Lengths in metres, angles in radians."""

    origin: np.ndarray
    rotation: np.ndarray  # world to camera space; its rows are right, up and forward
    lens: float  # focal length in terms of the picture's side
    height: float  # what the picture's side shows where the first person stands
    aim: float  # how high above the ground the camera points there
    turned: float  # about the vertical


def point(rng, framing, tall, middle, joint=None):
    """A camera on somebody so tall who stands at (middle, 0); detail is a picture of a joint, [3] from there."""
    if framing == "detail":
        shown = np.exp(rng.uniform(np.log(0.16), np.log(1.1)))
    else:
        shown = {"portrait": rng.uniform(0.20, 0.45), "half": rng.uniform(0.45, 0.8), "full": rng.uniform(0.95, 1.7), "far": rng.uniform(1.8, 4.5)}[framing]
    height = shown * max(tall, 0.8)
    lens = rng.uniform(0.8, 2.4)
    if framing == "detail":
        lens = max(lens, 0.8 / height)  # hands reach out half a metre and more
        aim = joint[1] + rng.normal(0, 0.15) * height
    elif framing in ("portrait", "half"):
        aim = tall - height * rng.uniform(0.30, 0.55) if rng.random() < 0.86 else rng.uniform(0.1, tall * 0.8)
    else:
        aim = tall * 0.5 + rng.normal(0, 0.08) * height
    distance = height * lens
    side_step = rng.normal(0, 0.14) * height
    target = np.array([middle + side_step, aim, 0])
    if framing == "detail":
        target += [joint[0], 0, joint[2]]
    pitch = rng.choice([rng.normal(0.04, 0.09), rng.uniform(-0.25, 0.6)], p=[0.75, 0.25])
    pitch = max(pitch, -np.arcsin(np.clip((aim - 0.12) / max(distance, 0.2), 0, 0.9)))
    turned, roll = rng.normal(0, 0.3), rng.normal(0, 0.035)
    back = turn([0, 1, 0], turned) @ turn([1, 0, 0], -pitch) @ np.array([0, 0, 1.0])
    forward = -back
    right = unit(np.cross(forward, [0, 1, 0]))
    up = np.cross(right, forward)
    right, up = right * np.cos(roll) + up * np.sin(roll), up * np.cos(roll) - right * np.sin(roll)
    return Camera(target + back * distance, np.stack([right, up, forward]), lens, height, aim, turned)


def illuminate(rng, camera, middle, size):
    """The rasteriser's view (its order: render.c) of a picture of this size, drawn at twice that, with light by chance."""
    # In camera space: from above, in front more often than behind.
    light = unit(np.array([rng.normal(0, 0.9), rng.uniform(0.25, 1.6), rng.normal(-0.75, 0.7)]))
    hard = rng.choice([0.15, 0.6, 0.95], p=[0.3, 0.4, 0.3])
    key = rng.uniform(0.5, 1.5) * (0.5 + 0.5 * hard)
    warm = M.linear(rng.choice([rng.uniform(0.02, 0.13), rng.uniform(0.5, 0.65)], p=[0.7, 0.3]), rng.uniform(0, 0.25), 1.0)
    sky = M.linear(rng.choice([rng.uniform(0.5, 0.65), rng.random()], p=[0.6, 0.4]), rng.uniform(0, 0.25), 1.0)
    ambient = rng.uniform(0.25, 0.85)
    focus = (np.array([middle, camera.aim, 0]) - camera.origin) @ camera.rotation.T
    fog = rng.choice([0.0, rng.uniform(0, 0.04)], p=[0.8, 0.2])
    return np.concatenate([[camera.lens * size * 2, size, size], light, warm * key, sky * ambient, sky * ambient * rng.uniform(0.3, 0.8) * np.array([1, 0.95, 0.88]),
                           focus, [max(1.6, camera.height * 0.9)], [hard], [rng.uniform(0.7, 4)], [rng.uniform(0.4, 0.8)], M.linear(0.6, rng.uniform(0, 0.2), 0.8), [fog]])


def rough(view, size, side):
    """The same view of a small picture: as large as `side`, without shadow, occlusion and fog."""
    view = view.copy()
    view[0:3] *= side / (2 * size)
    view[[19, 21, 25]] = 0
    return view
