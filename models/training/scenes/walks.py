# SPDX-License-Identifier: Apache-2.0
"""Sequences: people who walk before a camera that does not move, with truth for tracking.

`python -m scenes.walks FOLDER` (in models/training) draws all of SEQUENCES, five frames a second: FOLDER/NAME/0001.jpg and
FOLDER/NAME.json with each person's number, box and visible parts as COCO's run-length encoding. A rate of 1 or 2 frames
a second is every fifth frame of it, or every second and third in turn.
"""
import argparse
import json
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image

from . import labels as L
from . import materials as M
from . import photo
from .body import SIDES, Pose, bend_between
from .camera import Camera, illuminate
from .geometry import box, rod, turn, unit
from .person import Person
from .render import Stage
from .seen import seen
from .surroundings import backdrop, clutter, surroundings

RATE = 5  # frames a second
WIDTH, HEIGHT = 512, 288
QUALITY = 72
DETAIL = 0.45  # the same in each frame, so that the same person is drawn
# Metres a step pair, for somebody 1.75 m tall.
STRIDE = 1.5


class Walker(NamedTuple):
    """Who walks where: a path of (second, x, z), straight between them; nobody is there before and after."""

    seed: int
    path: tuple
    outfit: dict = {}


class Sequence(NamedTuple):
    """What one camera sees. pillar: x and z of one, behind which people vanish."""

    seed: int
    seconds: float
    walkers: tuple
    pillar: tuple = None


COAT = {"coat": True, "coat_open": False, "coat_length": 0.35, "bag": "none", "holds": "none", "hat": False}
PLAIN = {"bag": "none", "holds": "none"}

SEQUENCES = {
    # Two pass one another, one behind the other.
    "pass": Sequence(3, 6, (
        Walker(11, ((0, -3.2, -0.6), (6, 3.4, -0.6)), PLAIN),
        Walker(12, ((0.4, 3.7, -2.0), (6, -3.6, -2.0)), COAT))),
    # One walks behind two who stand and talk; one of them goes.
    "behind": Sequence(4, 7, (
        Walker(21, ((0, -0.5, -0.4), (7, -0.5, -0.4)), PLAIN),
        Walker(22, ((0, 0.5, -0.6), (4, 0.5, -0.6), (7, 2.2, 0.4)), COAT),
        Walker(23, ((0, -3.4, -2.2), (7, 3.6, -2.0)), PLAIN))),
    # One leaves, and comes back after three seconds; another one comes meanwhile.
    "return": Sequence(5, 9, (
        Walker(31, ((0, -0.8, -1.0), (3.0, 3.6, -1.0), (5.0, 3.6, -1.4), (9, -1.2, -1.4)), PLAIN),
        Walker(32, ((1.5, -3.6, -2.4), (9, 3.2, -2.4)), COAT))),
    # Two in the same clothes pass one another, and walk on.
    "twins": Sequence(6, 6, (
        Walker(41, ((0, -3.2, -1.0), (6, 3.4, -1.0)), PLAIN),
        Walker(41, ((0, 3.2, -2.3), (6, -3.7, -2.3)), PLAIN))),
    # Five, each with a way of their own, and a pillar that hides them.
    "crowd": Sequence(7, 8, (
        Walker(51, ((0, -3.4, -1.0), (7, 3.7, -1.0)), PLAIN),
        Walker(52, ((0, 2.4, -3.0), (8, -4.0, -2.6)), COAT),
        Walker(53, ((1.0, 3.8, -1.8), (8, -3.2, -1.6)), PLAIN),
        Walker(54, ((0, -1.8, -3.6), (4, -1.0, -0.6), (8, -0.8, 0.4)), PLAIN),
        Walker(55, ((0, 1.4, -0.2), (3, 1.8, -0.6), (8, -2.8, -3.4)), COAT)), pillar=(0.5, -0.1)),
}


class Walk(Pose):
    """A step of somebody who walks; phase: radians of a pair of steps, amount 0 (stands) to 1."""

    def __init__(self, rng, shape, phase, amount):
        self.phase, self.amount = phase, amount
        super().__init__(rng, shape, "stand")

    def _legs(self, rng):
        super()._legs(rng)  # takes the same numbers of rng in each frame
        sh, h = self.shape, self.shape.h
        down = sh.thigh + sh.shin
        for side, k in SIDES:
            angle = self.phase + (0 if k > 0 else np.pi)
            forward, lift = np.sin(angle), max(0.0, np.cos(angle))
            target = self.hips[side] + [k * 0.012 * h, -down * (0.985 - 0.05 * self.amount * (abs(forward) + 1.2 * lift)),
                                        forward * 0.20 * h * self.amount]
            pole = np.array([k * 0.1, 0, 1.0])
            self.knees[side], self.ankles[side] = bend_between(self.hips[side], target, sh.thigh, sh.shin, pole)
            self.toes[side] = unit(np.array([k * 0.12, 0.25 * forward * self.amount, 1.0]))

    def _arms(self, rng):
        super()._arms(rng)
        sh = self.shape
        arm = sh.upper_arm + sh.forearm
        for side, k in SIDES:
            swing = -np.sin(self.phase + (0 if k > 0 else np.pi)) * 0.45 * self.amount
            joint = np.array([k * sh.shoulder_half, -0.028 * sh.h, 0])
            shoulder = self.neck + self.chest_frame @ joint
            target = np.array([k * 0.10, -0.95 + 0.2 * abs(swing), swing + 0.04]) * arm
            pole = np.array([k * 0.4, 0, -1.0])
            self.shoulders[side] = shoulder
            self.elbows[side], self.wrists[side] = bend_between(
                shoulder, shoulder + self.chest_frame @ target, sh.upper_arm, sh.forearm, self.chest_frame @ pole)
            self.palm[side] = self.chest_frame @ unit(np.array([k, 0.1, 0.5]))


def place(path, second):
    """Where somebody is at a time: x, z, metres walked, turn about the vertical and speed; None before and after."""
    times = [p[0] for p in path]
    if not times[0] <= second <= times[-1]:
        return None
    walked = 0.0
    for (t0, x0, z0), (t1, x1, z1) in zip(path, path[1:]):
        length = np.hypot(x1 - x0, z1 - z0)
        if second <= t1:
            share = (second - t0) / (t1 - t0)
            towards = 0.0 if length < 0.05 else np.arctan2(x1 - x0, z1 - z0)
            return x0 + (x1 - x0) * share, z0 + (z1 - z0) * share, walked + length * share, towards, length / (t1 - t0)
        walked += length
    return None


def camera():
    """Hangs in the corner of a room, as cameras do: the picture is the middle of the square that it sees."""
    origin = np.array([0.0, 2.7, 5.6])
    forward = unit(np.array([0, 0.85, -1.4]) - origin)
    right = unit(np.cross(forward, [0, 1, 0]))
    return Camera(origin, np.stack([right, np.cross(right, forward), forward]), 1.3, 5.4, 0.85, 0.0)


def put_walkers(stage, walkers, second):
    """Draws everybody who is there; each is made anew of the same seed, so that looks stay and steps change."""
    for number, walker in enumerate(walkers, 1):
        at = place(walker.path, second)
        if at is None:
            continue
        x, z, walked, towards, speed = at
        person = Person(np.random.default_rng(walker.seed), "stand", walker.outfit)
        phase = walked / (STRIDE * person.shape.h / 1.75) * 2 * np.pi
        person.pose = Walk(np.random.default_rng([walker.seed, 1]), person.shape, phase, min(speed, 1.2) / 1.2)
        person.rng = np.random.default_rng([walker.seed, 2])
        person.draw(stage, number, (turn([0, 1, 0], towards), np.array([x, 0, z])), DETAIL)


def copied(fixed):
    """A stage that begins with all of another one."""
    stage = Stage()
    for name in ("vertices", "triangles", "mesh_of", "labels", "persons", "materials_of", "materials"):
        setattr(stage, name, list(getattr(fixed, name)))
    stage.count = fixed.count
    return stage


def expose(rng, linear, level):
    """A linear picture as this camera's 8-bit one; the exposure is that of the first frame."""
    x = linear * (0.22 / level) ** 0.75
    x = np.clip(x / (1 + np.clip(x - 0.7, 0, None) * 0.8), 0, 1) ** (1 / 2.2)
    x = photo._blur(x, 0.5) + rng.normal(0, 0.008, x.shape)
    return (np.clip(x, 0, 1) * 255 + 0.5).astype(np.uint8)


def frames(sequence):
    """Pictures and truth, frame by frame: rgb, label and person number of each pixel, [HEIGHT, WIDTH]."""
    rng = np.random.default_rng(sequence.seed)
    fixed = Stage()
    surroundings(rng, fixed, 4.5)
    clutter(rng, fixed, 4, 4.5, 8.0)
    if sequence.pillar:
        x, z = sequence.pillar
        fixed.add(*rod([[x, 0, z], [x, 3.4, z]], 0.22, 12, 16), fixed.material(M.rough(rng, M.linear(0.08, 0.1, 0.6))))
        fixed.add(*box(np.array([x, 0.1, z]), np.eye(3) * [[0.3], [0.1], [0.3]]), fixed.material(M.rough(rng, M.linear(0.1, 0.1, 0.3))))
    eye = camera()
    view = illuminate(rng, eye, 0.0, WIDTH)
    behind = backdrop(rng, WIDTH)
    top = (WIDTH - HEIGHT) // 2
    level = None
    for number in range(int(sequence.seconds * RATE)):
        stage = copied(fixed)
        put_walkers(stage, sequence.walkers, number / RATE)
        rgb, surface, person = stage.seen_from(eye.rotation, eye.origin).draw(WIDTH, 2, view, behind)
        person[surface == L.BACKGROUND] = 0
        level = level or np.exp(np.log(rgb.mean(-1) + 1e-2).mean())
        picture = expose(rng, rgb, level)
        label = seen(surface, person)
        yield tuple(a[top:top + HEIGHT] for a in (picture, label, person))


def encoded(mask):
    """COCO's compressed run-length encoding of a mask, [height, width]."""
    flat = np.concatenate([[0], mask.T.ravel().astype(np.int8), [0]])
    edges = np.flatnonzero(np.diff(flat))
    edges = np.append(edges, mask.size) if len(edges) == 0 or edges[-1] != mask.size else edges
    counts = np.diff(np.concatenate([[0], edges]))
    text = []
    for i, count in enumerate(counts):
        value = int(count) - (int(counts[i - 2]) if i > 2 else 0)
        more = True
        while more:
            group = value & 0x1F
            value >>= 5
            more = value != (-1 if group & 0x10 else 0)
            text.append(chr((group | 0x20 if more else group) + 48))
    return "".join(text)


def truth(label, person):
    """The visible people of a frame: number, box [x, y, width, height] and the parts by their labels' names."""
    people = []
    for number in np.unique(person[person > 0]):
        whole = person == number
        rows, columns = np.flatnonzero(whole.any(1)), np.flatnonzero(whole.any(0))
        corner = int(columns[0]), int(rows[0])
        parts = {L.NAMES[i]: encoded(whole & (label == i)) for i in np.unique(label[whole]) if i != L.BACKGROUND}
        people.append({"id": int(number), "area": int(whole.sum()), "parts": parts,
                       "box": [*corner, int(columns[-1]) + 1 - corner[0], int(rows[-1]) + 1 - corner[1]]})
    return people


def write(folder, name, sequence):
    """Draws a sequence into a folder."""
    (folder / name).mkdir(parents=True, exist_ok=True)
    listed = []
    for number, (picture, label, person) in enumerate(frames(sequence)):
        file = f"{name}/{number:03d}.jpg"
        Image.fromarray(picture).save(folder / file, "JPEG", quality=QUALITY, optimize=True)
        listed.append({"file": file, "time": number * 1000 // RATE, "people": truth(label, person)})
    text = json.dumps({"width": WIDTH, "height": HEIGHT, "rate": RATE, "frames": listed}, separators=(",", ":"))
    (folder / f"{name}.json").write_text(text + "\n")


def main():
    """Draws them all, or those that are named."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("names", nargs="*", help="of SEQUENCES; all of them unless given")
    args = parser.parse_args()
    for name in args.names or SEQUENCES:
        write(args.folder, name, SEQUENCES[name])


if __name__ == "__main__":
    main()
