# SPDX-License-Identifier: Apache-2.0
"""What is around people: sky, ground, walls, seats, and things that look like people and are nobody."""
import numpy as np
from PIL import Image

from . import materials as M
from .body import SIDES, Body, Pose, Shape
from .geometry import ball, box, rod, sheet, turn, unit


def noise_picture(rng, size, cells, channels=3):
    """Smooth random colours."""
    small = rng.random((cells, cells, channels))
    layers = [np.asarray(Image.fromarray(small[..., i].astype(np.float32)).resize((size, size), Image.BICUBIC)) for i in range(channels)]
    return np.clip(np.stack(layers, -1), 0, 1)


def backdrop(rng, size):
    """What lies behind all meshes: sky, haze, a studio wall, blurred lights."""
    y = np.linspace(0, 1, size)[:, None, None]
    kind = rng.choice(["sky", "haze", "studio", "lights", "mess"], p=[0.35, 0.2, 0.2, 0.1, 0.15])
    if kind == "sky":
        top, low = M.linear(rng.uniform(0.53, 0.62), rng.uniform(0.2, 0.8), rng.uniform(0.5, 0.95)), M.linear(rng.uniform(0.05, 0.6), rng.uniform(0, 0.3), rng.uniform(0.75, 1))
        out = top * (1 - y) + low * y + np.zeros((size, size, 3))
        clouds = noise_picture(rng, size, rng.integers(3, 9), 1) ** 2
        return np.clip(out + clouds * rng.uniform(0, 0.6), 0, 1)
    if kind == "haze":
        a, b = M.any_colour(rng), M.any_colour(rng)
        return np.clip(a * (1 - y) + b * y + 0.15 * (noise_picture(rng, size, 6) - 0.5), 0, 1)
    if kind == "studio":
        base = M.linear(rng.random(), rng.uniform(0, 0.4), rng.uniform(0.2, 0.98))
        grid = np.linspace(-1, 1, size)
        r2 = (grid[:, None] - rng.uniform(-0.5, 0.5)) ** 2 + (grid[None] - rng.uniform(-0.5, 0.5)) ** 2
        return np.clip(base * (1.15 - rng.uniform(0, 0.5) * r2)[..., None], 0, 1)
    if kind == "lights":
        out = np.tile(M.any_colour(rng) * 0.3, (size, size, 1))
        yy, xx = np.mgrid[0:size, 0:size]
        for _ in range(rng.integers(5, 30)):
            r = rng.uniform(0.01, 0.08) * size
            d = (yy - rng.uniform(0, size)) ** 2 + (xx - rng.uniform(0, size)) ** 2
            out += (d < r * r)[..., None] * M.linear(rng.uniform(-0.1, 0.2), rng.uniform(0, 0.8), 1) * rng.uniform(0.2, 0.8)
        return np.clip(out, 0, 1)
    mess = (0.6 * noise_picture(rng, size, rng.integers(4, 12)) + 0.4 * noise_picture(rng, size, rng.integers(12, 50))) ** 2
    grey = mess.mean(-1, keepdims=True)
    return np.clip((grey + (mess - grey) * rng.uniform(0, 0.6)) * M.linear(rng.random(), rng.uniform(0, 0.5), 1.0) * 1.3, 0, 1)


def surroundings(rng, stage, span):
    """Ground, walls, hedges, house fronts; span: how far the people stand apart."""
    if rng.random() < 0.88:
        colour = rng.choice(["grey", "wood", "grass", "sand", "any"], p=[0.35, 0.15, 0.2, 0.15, 0.15])
        base = {"grey": M.linear(0.1, rng.uniform(0, 0.1), rng.uniform(0.25, 0.85)), "wood": M.linear(rng.uniform(0.05, 0.1), rng.uniform(0.3, 0.7), rng.uniform(0.25, 0.7)),
                "grass": M.linear(rng.uniform(0.2, 0.35), rng.uniform(0.3, 0.8), rng.uniform(0.2, 0.6)), "sand": M.linear(rng.uniform(0.08, 0.13), rng.uniform(0.1, 0.5), rng.uniform(0.5, 0.9)),
                "any": M.any_colour(rng)}[colour]
        pattern = {"grey": rng.choice([0, 10]), "wood": 10, "grass": 12, "sand": 0, "any": rng.choice([0, 3, 10, 13])}[colour]
        m = M.rough(rng, base, pattern, rng.uniform(0.8, 4) if pattern != 12 else rng.uniform(8, 30), rng.choice([1.0, 0.2]) if pattern == 10 else 0.5)
        if pattern == 12:
            m[4:7], m[7:10] = base * 0.6, np.clip(base * 1.4, 0, 1)
        far = rng.uniform(4, 60)
        stage.add(*sheet([-30, 0, 12], [60, 0, 0], [0, 0, -12 - far], 48, 36), stage.material(m), 0, 0)
    kind = rng.choice(["none", "wall", "front", "hedge", "corner", "panels"], p=[0.26, 0.28, 0.14, 0.16, 0.08, 0.08])
    back = -span - rng.uniform(0.5, 6)
    if kind == "none":
        return
    base = M.any_colour(rng) if rng.random() < 0.3 else M.linear(rng.uniform(0, 0.2), rng.uniform(0, 0.3), rng.uniform(0.3, 0.95))
    tilt = rng.normal(0, 0.25)
    pattern, scale, param = rng.choice([0, 0, 9, 10, 2, 3, 13]), rng.uniform(1.5, 8), rng.uniform(0.2, 1)
    if kind == "front":
        pattern, scale, param = 11, rng.uniform(0.3, 0.8), rng.uniform(0.6, 1.2)
    m = M.rough(rng, base, pattern, scale, param)
    if kind == "front":
        m[4:7], m[7:10] = M.linear(0.6, 0.3, rng.uniform(0.1, 0.4)), M.linear(rng.random(), 0.2, rng.uniform(0.4, 0.9))
    if kind == "hedge":
        green = M.linear(rng.uniform(0.18, 0.36), rng.uniform(0.3, 0.9), rng.uniform(0.15, 0.6))
        m = M.rough(rng, green, 12, rng.uniform(2, 12))
        m[4:7], m[7:10] = green * rng.uniform(0.2, 0.6), np.clip(green * rng.uniform(1.3, 2.2), 0, 0.95)
    material = stage.material(m)
    high = rng.uniform(1.0, 3.0) if kind == "hedge" else rng.uniform(3, 12)
    wide = turn([0, 1, 0], tilt) @ np.array([50.0, 0, 0])
    stage.add(*sheet(np.array([0, 0, back]) - wide / 2, wide, [0, high, 0], 8, 8), material, 0, 0)
    if kind == "corner":
        x = rng.choice([-1, 1]) * rng.uniform(1.0, 4)
        stage.add(*sheet([x, 0, back], [0, 0, 20], [0, 8, 0], 8, 8), stage.material(M.rough(rng, base * 0.9, pattern, scale, param)), 0, 0)
    if kind == "panels" or rng.random() < 0.35:  # pictures, posters, doors, windows
        for _ in range(rng.integers(1, 6)):
            w, h2 = rng.uniform(0.3, 1.6, 2)
            spot = np.array([rng.uniform(-4, 4), rng.uniform(0.2, 2.2), back + 0.4 + abs(tilt) * 2])
            poster = M.rough(rng, M.any_colour(rng), rng.choice([0, 1, 3, 4, 5, 6, 8]), rng.uniform(2, 12), rng.random())
            poster[34], poster[35], poster[36], poster[37] = w / 2, h2 / 2, w * 0.4, h2 * 0.4
            stage.add(*sheet(spot, [w, 0, 0], [0, h2, 0]), stage.material(poster), 0, 0)


def animal(rng, stage, spot):
    """A four-legged animal."""
    size = rng.uniform(0.25, 1.0)
    fur = M.linear(rng.uniform(0.03, 0.12), rng.uniform(0, 0.7), rng.uniform(0.1, 0.9))
    m = M.rough(rng, fur, rng.choice([0, 5]), 8)
    m[13] = 0.5
    material = stage.material(m)
    r = turn([0, 1, 0], rng.uniform(0, 6.28))
    put = lambda p: spot + r @ (np.asarray(p) * size)
    stage.add(*rod([put([-0.6, 0.75, 0]), put([0, 0.8, 0]), put([0.55, 0.85, 0])], np.array([0.10, 0.2, 0.2, 0.24, 0.14]) * size, 10, 12), material)
    stage.add(*rod([put([0.5, 0.85, 0]), put([0.75, 1.15, 0])], np.array([0.15, 0.11]) * size, 6, 10), material)
    stage.add(*ball(put([0.85, 1.2, 0]), r.T * np.array([[0.2], [0.13], [0.12]]) * size, 9, 12), material)
    for k in (1, -1):
        stage.add(*ball(put([0.75, 1.33, k * 0.09]), np.eye(3) * 0.07 * size, 6, 8), material)
        for x in (-0.5, 0.45):
            stage.add(*rod([put([x, 0.75, k * 0.12]), put([x + rng.normal(0, 0.1), 0.35, k * 0.12]), put([x, 0.02, k * 0.12])], np.array([0.1, 0.06, 0.05]) * size, 8, 8), material)
    stage.add(*rod([put([-0.6, 0.85, 0]), put([-0.85, rng.uniform(0.5, 1.2), 0])], np.array([0.05, 0.03]) * size, 5, 6), material)


def mannequin(rng, stage, place):
    """A bare one-coloured doll: has limbs, is nobody."""
    shape = Shape(rng)
    pose = Pose(rng, shape, "stand")
    body = Body(shape, pose)
    material = stage.material(M.gloss(rng, rng.choice([M.linear(0.1, 0.05, 0.9), M.linear(0, 0, 0.12), M.linear(0.09, 0.5, 0.6)])) * 1.0)
    rotation, shift = place
    meshes = [body.torso.surface(0, body.torso.length, 20, 20, taper=(True, False))]
    for s, _ in SIDES:
        meshes.append(body.legs[s].surface(0, body.legs[s].length, 20, 14, taper=(False, True)))
        if rng.random() < 0.7:
            meshes.append(body.arms[s].surface(0, body.arms[s].length * rng.choice([0.3, 1.0]), 20, 12, taper=(False, True)))
    if rng.random() < 0.4:
        f = pose.head_frame
        meshes.append(ball(pose.head, np.stack([f[:, 0] * shape.head_wide, f[:, 1] * shape.head, f[:, 2] * shape.head_deep])))
    for v, t in meshes:
        v[:, 0:3] = v[:, 0:3] @ rotation.T + shift
        v[:, 3:6] = v[:, 3:6] @ rotation.T
        stage.add(v, t, material)


def clutter(rng, stage, count, wide, deep):
    """Things that are nobody: boxes, balls, poles, trees, limb-like rods, animals, dolls."""
    for _ in range(count):
        front = rng.random() < 0.12  # most things stand behind the people
        spot = np.array([rng.uniform(-wide, wide), 0, rng.uniform(0.1, 0.9) if front else rng.uniform(-deep, -0.35)])
        kind = rng.choice(["box", "ball", "pole", "tree", "limb", "bottle", "cushion", "animal", "doll", "table", "pile"],
                          p=[0.18, 0.12, 0.11, 0.10, 0.13, 0.06, 0.08, 0.07, 0.025, 0.075, 0.05])
        m = M.rough(rng, M.any_colour(rng), rng.choice([0, 0, 0, 1, 3, 5, 10, 13]), rng.uniform(3, 20), 0.4) if rng.random() < 0.7 else M.gloss(rng, M.any_colour(rng))
        if kind == "limb" and rng.random() < 0.6:
            m = M.skin(rng, M.SKIN_TONES[rng.integers(len(M.SKIN_TONES))] * rng.uniform(0.7, 1.2))
        material = stage.material(m)
        r = turn([0, 1, 0], rng.uniform(0, 6.28))
        if kind == "box":
            e = rng.uniform(0.05, 0.3 if front else 0.7, 3)
            stage.add(*box(spot + [0, e[1], 0], (r * 1.0).T * e[:, None]), material)
        elif kind in ("ball", "cushion"):
            e = rng.uniform(0.08, 0.35) * (np.ones(3) if kind == "ball" else rng.uniform(0.4, 1.5, 3))
            stage.add(*ball(spot + [0, e[1] + rng.choice([0, rng.uniform(0, 1.5)]), 0], r.T * e[:, None], 14, 18), material)
        elif kind == "pole":
            stage.add(*rod([spot, spot + [rng.normal(0, 0.05), rng.uniform(1.0, 5), 0]], rng.uniform(0.02, 0.12), 12, 10), material)
        elif kind == "tree":
            n = rng.uniform(1.5, 4)
            bark = stage.material(M.rough(rng, M.linear(0.08, rng.uniform(0.1, 0.5), rng.uniform(0.15, 0.5)), 13, 8))
            stage.add(*rod([spot, spot + [rng.normal(0, 0.2), n * 0.5, 0], spot + [rng.normal(0, 0.3), n, 0]], [0.16, 0.11, 0.08], 12, 10), bark)
            green = M.linear(rng.uniform(0.15, 0.36), rng.uniform(0.4, 0.9), rng.uniform(0.2, 0.6))
            leaf = M.rough(rng, green, 12, rng.uniform(4, 12))
            leaf[4:7], leaf[7:10], leaf[13] = green * 0.4, np.clip(green * 1.6, 0, 1), 1.2
            leaf = stage.material(leaf)
            for _ in range(rng.integers(3, 7)):
                stage.add(*ball(spot + [rng.normal(0, 0.5), n + rng.normal(0.3, 0.4), rng.normal(0, 0.4)], np.eye(3) * rng.uniform(0.3, 0.8), 12, 14, texture=0.6), leaf)
        elif kind == "limb":
            a = spot + [0, rng.uniform(0, 1.6), 0]
            points = [a]
            for _ in range(rng.integers(1, 3)):
                points.append(points[-1] + unit(rng.normal(0, 1, 3)) * rng.uniform(0.2, 0.5))
            stage.add(*rod(points, rng.uniform(0.03, 0.08) * rng.uniform(0.6, 1.2, 4), 14, 12), material)
        elif kind == "bottle":
            n = rng.uniform(0.2, 0.6)
            stage.add(*rod([spot, spot + [0, n, 0]], np.array([0.1, 0.11, 0.1, 0.05, 0.04]) * n * 2, 14, 12, 0.0), material)
        elif kind == "animal":
            animal(rng, stage, spot)
        elif kind == "doll":
            mannequin(rng, stage, (r, spot))
        elif kind == "table":
            e, n = rng.uniform(0.3, 0.8, 2), rng.uniform(0.4, 0.8)
            stage.add(*box(spot + [0, n, 0], r.T * np.array([e[0], 0.03, e[1]])[:, None]), material)
            for a in (1, -1):
                for b in (1, -1):
                    foot = spot + r @ np.array([a * e[0] * 0.9, 0, b * e[1] * 0.9])
                    stage.add(*rod([foot, foot + [0, n, 0]], 0.03, 5, 6), material)
        else:  # a heap of cloth
            heap = stage.material(M.cloth(rng))
            for _ in range(rng.integers(2, 6)):
                e = rng.uniform(0.08, 0.3, 3)
                stage.add(*ball(spot + [rng.normal(0, 0.2), e[1] * 0.6, rng.normal(0, 0.2)], turn(unit(rng.normal(0, 1, 3)), 1.0).T * e[:, None], 10, 12), heap)


def seat(rng, stage, person, place):
    """A chair, bench or block under somebody who sits."""
    rotation, shift = place
    p = person.pose.seat
    high = max(p[1] - 0.035 * person.shape.h, 0.1)
    material = stage.material(M.rough(rng, M.any_colour(rng), rng.choice([0, 3, 5, 13]), 10, 0.4))
    wide = rng.uniform(0.2, 0.9)
    put = lambda q: rotation @ np.asarray(q) + shift
    kind = rng.choice(["block", "chair", "stool"])
    axes = lambda a, b, c: rotation.T * np.array([[a], [b], [c]])
    if kind == "block":
        stage.add(*box(put([p[0], high / 2, p[2] - 0.03]), axes(wide, high / 2, 0.2)), material)
    else:
        stage.add(*box(put([p[0], high - 0.02, p[2]]), axes(0.22, 0.02, 0.2)), material)
        for a in (1, -1):
            for b in (1, -1):
                foot = np.array([p[0] + a * 0.2, 0, p[2] + b * 0.18])
                stage.add(*rod([put(foot), put(foot + [0, high, 0])], 0.018, 5, 6), material)
    if kind == "chair" or (kind == "block" and rng.random() < 0.5):
        stage.add(*box(put([p[0], high + 0.22, p[2] - 0.23]), axes(min(wide, 0.5), 0.25, 0.025)), material)
