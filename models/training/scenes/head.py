# SPDX-License-Identifier: Apache-2.0
"""Heads: face, ears, hair, hats, glasses."""
import numpy as np

from . import labels as L
from . import materials as M
from .geometry import Tube, ball, frames, grid_mesh, path, unit


def _bump(x, y, cx, cy, sx, sy):
    return np.exp(-((x - cx) / sx) ** 2 - ((y - cy) / sy) ** 2)


def skull(rows, columns):
    """A head's surface in its own units: half height 1, face towards +z. [rows, columns+1, 3]."""
    lat = np.linspace(-np.pi / 2, np.pi / 2, rows)
    # More columns in front, where the nose is.
    q = np.linspace(-1, 1, columns + 1)
    lon = np.pi / 2 + np.pi * (0.55 * q + 0.45 * q ** 3)
    cos = np.cos(lat)[:, None]
    x = cos * np.cos(lon)[None]
    y = np.sin(lat)[:, None] + 0 * lon[None]
    z = cos * np.sin(lon)[None]
    low = np.clip(-0.05 - y, 0, 1)
    jaw = 1 - 0.30 * low ** 1.1
    front = np.clip(z, 0, 1)
    x = x * jaw * (1 - 0.06 * np.clip(y - 0.3, 0, 1))
    z = np.where(z < 0, z * (1 - 0.45 * np.clip(-y - 0.15, 0, 1)) * 1.08, z * (0.95 + 0.06 * low))
    y = np.where(y < 0, y * (1 + 0.02 * front), y)
    z = z + front * (0.24 * _bump(x, y, 0, -0.20, 0.105, 0.13) + 0.12 * _bump(x, y, 0, -0.02, 0.085, 0.16)
                     + 0.05 * _bump(x, y, 0, 0.26, 0.5, 0.09) - 0.07 * (_bump(x, y, 0.3, 0.07, 0.14, 0.10) + _bump(x, y, -0.3, 0.07, 0.14, 0.10))
                     + 0.045 * _bump(x, y, 0, -0.48, 0.17, 0.09) + 0.07 * _bump(x, y, 0, -0.83, 0.22, 0.14)
                     + 0.03 * (_bump(x, y, 0.42, -0.22, 0.15, 0.15) + _bump(x, y, -0.42, -0.22, 0.15, 0.15)))
    return np.stack([x, y, z], -1)


class Head:
    """One person's head; `put` maps head units to the world."""

    def __init__(self, body, rng):
        shape, pose = body.shape, body.pose
        self.rng, self.shape, self.pose = rng, shape, pose
        self.centre = pose.head
        f = pose.head_frame
        self.axes = np.stack([f[:, 0] * shape.head_wide, f[:, 1] * shape.head, f[:, 2] * shape.head_deep])
        self.frame = f

    def put(self, local):
        """Head units to world."""
        return self.centre + local @ self.axes

    def shell(self, local, grow, clip=None, texture=None):
        """A surface over the skull, grown by a factor (number or grid)."""
        grow = np.asarray(grow)
        grown = local * (grow[..., None] if grow.ndim else grow)
        return grid_mesh(self.put(grown), local if texture is None else texture, clip)


def draw_face(stage, head, person, skin_material, face_material, detail):
    """Face and ears."""
    rows, columns = (34, 40) if detail > 1 else (24, 26) if detail > 0.4 else (14, 16)
    local = skull(rows, columns)
    stage.add(*head.shell(local, 1.0), face_material, L.FACE, person)
    for k in (1, -1):
        centre = head.put(np.array([k * 0.98, -0.02, -0.08]))
        f = head.frame
        axes = np.stack([f[:, 0] * 0.12 * head.shape.head_wide, f[:, 1] * 0.25 * head.shape.head, (f[:, 2] - 0.4 * k * f[:, 0]) * 0.15 * head.shape.head_deep])
        stage.add(*ball(centre, axes, 7, 8, texture=0.1), skin_material, L.FACE, person)


HAIR_STYLES = ["short", "buzz", "bald", "ring", "bob", "long", "tail", "bun", "afro", "curly", "braids", "side"]


def hair_style(rng, shape):
    """A style fitting the person."""
    odds = {"short": 0.52, "buzz": 0.13, "bald": 0.08, "ring": 0.05, "bob": 0.02, "long": 0.05, "tail": 0.02, "bun": 0.02,
            "afro": 0.04, "curly": 0.05, "braids": 0.01, "side": 0.01} if shape.male else \
        {"short": 0.12, "buzz": 0.01, "bald": 0.005, "ring": 0.0, "bob": 0.20, "long": 0.30, "tail": 0.11, "bun": 0.08,
         "afro": 0.05, "curly": 0.06, "braids": 0.045, "side": 0.02}
    names = list(odds)
    p = np.array([odds[n] for n in names])
    return rng.choice(names, p=p / p.sum())


def draw_hair(stage, head, person, material, style, detail, covered):
    """Hair of a style; covered: a hat hides the top, so it stays flat there."""
    if style == "bald":
        return
    rng = head.rng
    rows, columns = (26, 36) if detail > 0.4 else (14, 20)
    local = skull(rows, columns)
    x, y, z = local[..., 0], local[..., 1], local[..., 2]
    azimuth = np.degrees(np.abs(np.arctan2(x, z)))  # 0 in front, 180 behind
    top = rng.uniform(0.44, 0.62)
    ear = rng.uniform(-0.25, 0.05)
    nape = rng.uniform(-0.62, -0.35)
    line = np.interp(azimuth, [0, 30, 52, 66, 84, 96, 120, 180], [top, top, top * 0.62, 0.12, ear, 0.05, nape * 0.8, nape])
    rag = 0.03 * np.sin(azimuth * 0.9 + rng.uniform(0, 6)) + 0.02 * np.sin(azimuth * 2.3 + 40 * x)
    full = {"short": rng.uniform(1.05, 1.16), "buzz": 1.025, "ring": 1.05, "bob": 1.14, "long": 1.12, "tail": 1.07, "bun": 1.07,
            "afro": rng.uniform(1.3, 1.65), "curly": rng.uniform(1.16, 1.32), "braids": 1.07, "side": 1.10}[style]
    if covered:
        full = min(full, 1.06)
    thick = 1 + (full - 1) * np.clip(0.35 + (y - line) * 1.6, 0.15, 1)
    if style in ("afro", "curly") and not covered:
        lumps = 8 if style == "afro" else 5
        thick = thick + 0.05 * (full - 1) / 0.3 * (np.sin(lumps * x + 1) * np.sin(lumps * 1.1 * y) * np.sin(lumps * 0.9 * z) + 0.5 * np.sin(17 * x) * np.sin(15 * y + 1) * np.sin(16 * z))
    elif style != "buzz" and not covered:
        thick = thick + 0.012 * np.sin(9 * azimuth / 57 + 3 * y) + 0.03 * np.clip(y, 0, 1) * rng.uniform(0, 1)
    clip = y - line + rag
    if style == "ring":  # only sides and back are left
        clip = np.minimum(clip, 0.42 - y + 0.12 * (azimuth > 120))
    if style == "side":
        clip = np.where(x > 0, clip, np.minimum(clip, 0.5 - y))
    texture = np.stack([np.arctan2(x, -z) * 0.12, y * 0.15, z * 0.1], -1)
    stage.add(*head.shell(local, thick, clip * 0.3, texture), material, L.HAIR, person)
    if style in ("short", "bob", "long", "side") and rng.random() < 0.55 and not covered:  # a fringe
        low = rng.uniform(0.22, 0.5)
        part = rng.uniform(-0.5, 0.5)
        fringe = np.minimum(y - low - 0.35 * np.abs(x - part), 0.75 - y)
        fringe = np.minimum(fringe, 70 / 57 - azimuth / 57) + 0.03 * np.sin(30 * x)
        stage.add(*head.shell(local, 1.075 + 0.04 * np.clip(y, 0, 1), fringe * 0.3, texture), material, L.HAIR, person)
    if style in ("long", "bob"):
        _curtain(stage, head, person, material, rng.uniform(0.9, 1.5) if style == "bob" else rng.uniform(1.9, 4.2), rng, detail)
    elif style in ("tail", "bun", "braids"):
        _bound(stage, head, person, material, style, rng)


def _curtain(stage, head, person, material, length, rng, detail):
    """Hair falling from the crown around the back and sides of the head."""
    s = head.shape
    f = head.frame
    down = unit(-f[:, 1] * 0.5 + np.array([0, -0.5, 0]))
    start = head.put(np.array([0, 0.72, -0.10]))
    mid = head.put(np.array([0, -0.2, -0.14]))
    points = [start, mid, mid + down * s.head * max(0.2, length - 0.9) - f[:, 2] * s.head * 0.12]
    centre, along = path(points, 16, 0.05)
    x, z = frames(centre, f[:, 0])
    z = -z  # the path runs downwards
    t = np.linspace(0, 1, 16)
    wide = np.interp(t, [0, 0.15, 0.4, 0.7, 1], [0.6, 1.0, 1.12, rng.uniform(0.95, 1.35), rng.uniform(0.75, 1.4)]) * s.head_wide
    deep = np.interp(t, [0, 0.15, 0.4, 0.7, 1], [0.7, 0.98, 1.05, rng.uniform(0.8, 1.1), rng.uniform(0.5, 1.05)]) * s.head_deep
    tube = Tube(centre, along, x, z, wide, deep)
    open_front = rng.uniform(0.75, 1.15)
    phase = rng.uniform(0, 6.28)

    def clip(theta, distance):
        front = np.abs(np.angle(np.exp(1j * (theta - np.pi / 2))))
        ragged = along[-1] - distance - 0.012 - 0.02 * (np.sin(theta * 13 + phase) + 0.6 * np.sin(theta * 29))
        return np.minimum(front - open_front, ragged * 10)

    folds = (0.004, 9, 4.0, [(phase, 1.0), (phase * 2, 2.0)])
    stage.add(*tube.surface(0, along[-1], 14 if detail > 0.4 else 9, 40 if detail > 0.4 else 24, folds=folds, clip=clip), material, L.HAIR, person)


def _bound(stage, head, person, material, style, rng):
    """Pony-tail, bun, plaits."""
    s, f = head.shape, head.frame
    back = head.put(np.array([0, rng.uniform(-0.1, 0.75), -0.98]))
    if style == "bun":
        r = rng.uniform(0.3, 0.5) * s.head
        spot = back if rng.random() < 0.6 else head.put(np.array([0, 1.1, -0.25]))
        stage.add(*ball(spot, np.eye(3) * r, 9, 12, texture=0.1), material, L.HAIR, person)
        return
    starts = [back] if style == "tail" else [head.put(np.array([k * 0.75, -0.15, -0.55])) for k in (1, -1)]
    for start in starts:
        side = unit(start - head.centre)
        n = rng.uniform(1.2, 3.0)
        points = [start, start + side * 0.35 * s.head, start + side * 0.45 * s.head + np.array([0, -0.7 * n, 0]) * s.head,
                  start + side * 0.3 * s.head + np.array([0, -n, 0]) * s.head]
        centre, along = path(points, 14, 0.05)
        x, z = frames(centre, f[:, 0])
        r = np.interp(np.linspace(0, 1, 14), [0, 0.15, 0.5, 1], np.array([0.14, 0.26, 0.24, 0.05]) * s.head * rng.uniform(0.7, 1.2))
        if style == "braids":
            r = r * (0.75 + 0.18 * np.sin(np.arange(14) * 1.9))
        stage.add(*Tube(centre, along, x, z, r, r).surface(0, along[-1], 14, 12, taper=(True, True), middle=0.03), material, L.HAIR, person)


HATS = ["cap", "beanie", "brim", "straw", "helmet", "top", "kerchief", "bucket"]


def draw_hat(stage, head, person, rng, detail):
    """A hat of a random kind."""
    kind = rng.choice(HATS, p=[0.33, 0.21, 0.12, 0.08, 0.08, 0.03, 0.08, 0.07])
    cloth = M.cloth(rng, "any" if kind in ("beanie", "kerchief") else "plain")
    if kind == "straw":
        cloth[1:4] = M.linear(0.12, 0.35, 0.85)
        cloth[10], cloth[11], cloth[12] = 1, 60, 0.5
        cloth[4:7] = M.linear(0.11, 0.5, 0.65)
    if kind == "helmet":
        cloth = M.gloss(rng, M.any_colour(rng))
    material = stage.material(cloth)
    rows, columns = (22, 32) if detail > 0.4 else (14, 20)
    local = skull(rows, columns)
    x, y, z = local[..., 0], local[..., 1], local[..., 2]
    azimuth = np.abs(np.arctan2(x, z))
    tilt = rng.uniform(-0.08, 0.12)
    low = {"cap": 0.42, "beanie": 0.36, "brim": 0.42, "straw": 0.42, "helmet": 0.35, "top": 0.45, "kerchief": 0.40, "bucket": 0.36}[kind]
    line = low + tilt * np.cos(azimuth) - (0.32 if kind in ("helmet", "kerchief", "beanie") else 0.12) * (1 - np.cos(azimuth)) * 0.5
    grow = 1.12 + 0 * x
    if kind == "beanie":
        grow = 1.11 + 0.10 * np.clip(y, 0, 1) ** 3 * rng.uniform(0, 2.5) + 0.008 * np.sin(40 * np.arctan2(x, z))
    elif kind == "helmet":
        grow = 1.24 + 0 * x
    elif kind in ("brim", "straw", "bucket"):
        grow = 1.13 + 0.16 * np.clip((y - 0.4) / 0.5, 0, 1)
    elif kind == "cap":
        grow = 1.12 + 0.06 * np.clip(y, 0, 1)
    texture = np.stack([np.arctan2(x, -z) * 0.09, y * 0.12, z * 0.1], -1)
    shape = local * grow[..., None]
    if kind == "top":
        shape = local * np.array([1.12, 1.0, 1.12])
        shape[..., 1] = np.where(y > 0.4, 0.4 + np.clip(y - 0.4, 0, 0.3) * 4, y)
        shape[..., 0] *= np.where(y > 0.4, 1.0 / np.sqrt(np.clip(1 - y ** 2, 0.4, 1)), 1)
        shape[..., 2] *= np.where(y > 0.4, 1.0 / np.sqrt(np.clip(1 - y ** 2, 0.4, 1)), 1)
    stage.add(*grid_mesh(head.put(shape), texture, (y - line) * 0.3), material, L.HAT, person)
    if kind in ("cap", "brim", "straw", "top", "bucket"):
        theta = np.linspace(-np.pi, np.pi, 33)
        reach = {"cap": 0.85, "brim": rng.uniform(0.4, 0.8), "straw": rng.uniform(0.5, 1.0), "top": 0.35, "bucket": 0.4}[kind]
        back = kind == "cap" and rng.random() < 0.15
        steps = np.linspace(0, 1, 5)[:, None]
        lift = low + tilt * np.cos(theta) - 0.06 * (1 - np.cos(theta))
        if kind == "cap":
            out = 1.08 + steps * reach * np.clip(np.cos(theta), 0, 1)[None] ** 0.6
            drop = -0.16 * steps * np.clip(np.cos(theta), 0, 1)[None] + 0.02 * steps
        else:
            out = 1.08 + steps * reach + 0 * theta[None]
            drop = (-0.55 if kind == "bucket" else rng.uniform(-0.15, 0.08)) * steps * reach + 0 * theta[None]
        ring = np.sqrt(np.clip(1 - low ** 2, 0.2, 1))
        px = out * np.sin(theta)[None] * ring * 1.04
        pz = out * np.cos(theta)[None] * ring * (-1 if back else 1)
        local = np.stack([px, lift[None] + drop, pz], -1)
        uv = np.stack([theta[None] * 0.1 + 0 * px, out * 0.1, 0 * px], -1)
        clip = None if kind != "cap" else np.broadcast_to(np.cos(theta) - 0.05, px.shape)
        stage.add(*grid_mesh(head.put(local), uv, clip), material, L.HAT, person)
    if kind == "beanie" and rng.random() < 0.4:
        stage.add(*ball(head.put(np.array([0, 1.3, 0])), np.eye(3) * 0.26 * head.shape.head, 8, 10, texture=0.1), material, L.HAT, person)


def draw_glasses(stage, head, person, rng, detail):
    """Sun-glasses or reading glasses: lenses, frame, temples."""
    dark = rng.random() < 0.7
    colour = M.linear(rng.random(), rng.uniform(0, 0.6), rng.uniform(0.02, 0.25) if dark else rng.uniform(0.3, 0.6))
    lens = stage.material(M.gloss(rng, colour))
    frame = stage.material(M.gloss(rng, M.any_colour(rng) * 0.5))
    wide, tall = rng.uniform(0.23, 0.31), rng.uniform(0.13, 0.21)
    square = rng.choice([2.0, 3.0, 4.0])
    theta = np.linspace(-np.pi, np.pi, 21)
    k = (np.abs(np.cos(theta)) ** square + np.abs(np.sin(theta)) ** square) ** (-1 / square)
    for side in (1, -1):
        def ring(lo, hi, z, curve=0.25):
            r = np.linspace(lo, hi, 3)[:, None]
            x = side * 0.31 + r * (np.cos(theta) * k * wide)[None]
            y = 0.07 + r * (np.sin(theta) * k * tall)[None]
            p = np.stack([x, y, z - curve * np.clip(np.abs(x) - 0.1, 0, 1) ** 2 * 1.6 + 0 * y], -1)
            return grid_mesh(head.put(p), p * 0.1)
        if dark:
            stage.add(*ring(0.0, 1.0, 0.985), lens, L.GLASSES, person)
        stage.add(*ring(0.86 if dark else 0.80, 1.12, 1.0), frame, L.GLASSES, person)
        bar = np.array([[side * 0.57, 0.1, 0.80], [side * 0.99, 0.1, 0.45], [side * 1.04, 0.06, -0.1]])
        p = bar[None] + np.array([[0, -0.03, 0], [0, 0.03, 0]])[:, None]
        stage.add(*grid_mesh(head.put(p), p * 0.1, closed=False), frame, L.GLASSES, person)
    p = np.array([[-0.1, 0.10, 1.06], [0.1, 0.10, 1.06]])[None] + np.array([[0, -0.025, 0], [0, 0.025, 0]])[:, None]
    stage.add(*grid_mesh(head.put(p), p * 0.1, closed=False), frame, L.GLASSES, person)
