# SPDX-License-Identifier: Apache-2.0
"""Training batches: crops around people, with the truth at sampled points."""
from typing import NamedTuple

import numpy as np
import torch
from PIL import Image
from torch.utils.data import IterableDataset

from scenes import labels as L
from scenes import shards
from scenes.seen import seen

# How often a scene is picked because it shows a class, beside picks at random.
WANTED = {L.GLOVES: 3, L.GLASSES: 3, L.SCARF: 3, L.SOCKS: 3, L.HAT: 1.5, L.SKIRT: 2.5, L.DRESS: 2.5, L.COAT: 1, L.SHOE_L: 1, L.SHOE_R: 1,
          L.LEG_L: 1.5, L.LEG_R: 1.5, L.TORSO: 0.5}
# How often a scene is picked by the pixels it has of a part. IoU counts pixels, and a hundredth of
# the scenes, the near ones, have a third to a half of those of the rare parts. By a power of them:
# in proportion the nearest few would be picked again and again, and learnt by heart.
BY_PIXELS, POWER = 0.5, 0.7
# And which part, where not each as often: those that the label map confuses most.
OFTEN = {L.LEG_L: 2.0, L.LEG_R: 2.0, L.DRESS: 2.0, L.SKIRT: 1.5, L.GLOVES: 1.5, L.SOCKS: 1.5, L.SHOE_L: 1.5, L.SHOE_R: 1.5}
# How often a scene is picked because it shows much of people and no head: legs and coats that
# fill the frame are easily taken for walls, and the few of them are many pixels.
HEADLESS = 0.15
# How often a scene of nobody is picked: else walls that fill the frame are taken for what does so elsewhere, for skirts.
EMPTY = 0.03
# How many points of a crop, by its side. They are cheap: 4096 instead of 1024 in crops of 320
# cost a twentieth of a step.
POINTS = ((128, 512), (224, 1024), (1 << 20, 4096))
# Shares of the points: anywhere, at contours; the others are shared out among the parts.
UNIFORM, CONTOUR = 0.4, 0.32
PART_ODDS = np.array([0.0] + [OFTEN.get(c, 1.0) for c in range(1, L.PARTS)])
PART_ODDS /= PART_ODDS.sum()
MOST_TARGETS = 60
PEOPLE = shards.BOXES
EASY = 2  # stages of at most so many people show whole people and common classes more
FLIP = np.arange(L.SURFACES, dtype=np.uint8)
for _a, _b in L.MIRRORED:
    FLIP[_a], FLIP[_b] = _b, _a


class Framing(NamedTuple):
    """How crops show scenes."""

    whole: float  # how often most of the scene: what a picture looks like when it is used
    least: float  # and how much of its side at least; the others show one person or a part of one, for small things
    pasted: float  # how often somebody of another scene stands in front: the same people in front of, behind and beside others
    # How often nothing at all, as a covered or a dark camera does: without it, a frame that a garment
    # fills teaches that one colour is somebody.
    blank: float


USUAL = Framing(0.7, 0.7, 0.4, 0.03)
# Closer to pictures in use (as Z. Ge et al., "YOLOX", 2021, end without their strongest augmentations).
LAST = Framing(0.8, 0.8, 0.15, 0.03)


class Pool:
    """The shards at hand and which scene shows what; refresh() finds new ones."""

    def __init__(self, folder):
        self.folder = folder
        self.shards = {}
        self.refresh()

    def refresh(self):
        """Takes up new shards and forgets deleted ones."""
        names = shards.listing(self.folder)
        for name in list(self.shards):
            if name not in names:
                del self.shards[name]
        for name in names:
            if name not in self.shards:
                try:
                    self.shards[name] = shards.Shard(name)
                except FileNotFoundError:  # deleted in between
                    continue
        held = list(self.shards.values())
        self.where = [(s, i) for s in held for i in range(len(s))]
        counts = np.concatenate([s.counts for s in held]) if held else np.zeros((0, L.PARTS), int)
        self.people = np.concatenate([(s.boxes[:, :, 2] > 0).sum(1) for s in held]) if held else np.zeros(0, int)
        # Picks at random show what pictures in use are like, so none of them is a chosen scene, if there are others;
        # details come by their pixels or for want of a head alone.
        kinds = np.array([s.kind for s, _ in self.where])
        usual = kinds == shards.USUAL
        self.usual = np.flatnonzero(usual | ~usual.any())
        self.showing = {c: np.flatnonzero((counts[:, c] >= 24) & (kinds != shards.DETAIL)) for c in WANTED}
        body = counts[:, 1:].sum(1)
        head = counts[:, [L.HAT, L.HAIR, L.FACE]].sum(1)
        self.pixels = np.cumsum(counts ** POWER, 0)
        self.empty = np.flatnonzero(self.people == 0)
        self.headless = np.flatnonzero((body > 0.15 * counts.sum(1)) & (head < 0.02 * body))

    def pick(self, rng, most):
        """A scene (shard, number) and the class it was picked for, if any."""
        for _ in range(60):
            wanted = None
            if most > EASY and len(self.empty) and rng.random() < EMPTY:
                n = rng.choice(self.empty)
                break
            if most > EASY and rng.random() < BY_PIXELS:
                wanted = int(rng.choice(L.PARTS, p=PART_ODDS))
                if not self.pixels[-1, wanted]:
                    continue
                n = int(np.searchsorted(self.pixels[:, wanted], rng.uniform(0, self.pixels[-1, wanted])))
            elif rng.random() < (0.5 if most > EASY else 0.2):
                names = list(WANTED)
                odds = np.array([WANTED[c] for c in names], float)
                wanted = names[rng.choice(len(names), p=odds / odds.sum())]
                if not len(self.showing[wanted]):
                    continue
                n = rng.choice(self.showing[wanted])
            elif most > EASY and len(self.headless) and rng.random() < HEADLESS:
                n = rng.choice(self.headless)
            else:
                n = rng.choice(self.usual)
            if self.people[n] <= most and (self.people[n] or rng.random() < 0.7):
                break
        return (*self.where[n], wanted)


def paste(rng, pool, rgb, surface, person, boxes):
    """The scene with a person of another one before it, larger or smaller, mirrored or not.

    After G. Ghiasi et al., "Simple copy-paste is a strong data augmentation method for instance
    segmentation", 2021. Somebody whom the frame cuts off at the bottom is again.
    """
    shard, i = pool.where[rng.integers(len(pool.where))]
    number = int(person.max()) + 1
    size = len(person)
    inside = lambda b: min(b[0], b[1]) > 0 and b[2] < size and int(b[2] - b[0]) * int(b[3] - b[1]) > 900
    people = [p for p in range(1, PEOPLE) if inside(shard.boxes[i][p])]
    if not people or number >= PEOPLE:
        return rgb, surface, person, boxes
    chosen = int(rng.choice(people))
    x0, y0, x1, y1 = (int(v) for v in shard.boxes[i][chosen])
    patches = [a[y0:y1, x0:x1] for a in shard.read(i)]
    scale = np.exp(rng.uniform(np.log(0.5), np.log(1.25)))
    wide, high = max(int((x1 - x0) * scale), 8), max(int((y1 - y0) * scale), 8)
    fit = lambda a, how: np.asarray(Image.fromarray(np.ascontiguousarray(a)).resize((wide, high), how))
    new, parts, mask = fit(patches[0], Image.BILINEAR), fit(patches[1], Image.NEAREST), fit(patches[2] == chosen, Image.NEAREST)
    if rng.random() < 0.5:
        new, parts, mask = new[:, ::-1], FLIP[parts[:, ::-1]], mask[:, ::-1]
    left = int(rng.integers(-wide // 3, size - wide + wide // 3 + 1))
    top = size - high if y1 == size else int(rng.integers(0, max(size - high // 2, 1)))
    into = slice(max(top, 0), min(top + high, size)), slice(max(left, 0), min(left + wide, size))
    of = slice(into[0].start - top, into[0].stop - top), slice(into[1].start - left, into[1].stop - left)
    rgb, surface, person, boxes = rgb.copy(), surface.copy(), person.copy(), boxes.copy()
    there = mask[of]
    rgb[into][there], surface[into][there], person[into][there] = new[of][there], parts[of][there], number
    if there.any():
        boxes[number] = into[1].start, into[0].start, into[1].stop, into[0].stop
    return rgb, surface, person, boxes


def choose_crop(rng, boxes, size, side, surface, wanted, near, framing):
    """A square (x, y, length) of most of the scene, around a person or, with the odds `near`, a part of one."""
    there = np.flatnonzero(boxes[:, 2] > 0)
    if not len(there) or rng.random() < framing.whole:
        length = size * rng.uniform(framing.least, 1.0)
        centre = rng.uniform(0, size, 2)
    else:
        areas = np.sqrt(((boxes[there, 2:] - boxes[there, :2]).prod(1)).astype(float))
        x0, y0, x1, y1 = boxes[rng.choice(there, p=areas / areas.sum())].astype(float)
        reach = max(x1 - x0, y1 - y0)
        length = reach * np.exp(rng.uniform(np.log(0.95), np.log(2.2)))
        centre = np.array([(x0 + x1) / 2, (y0 + y1) / 2]) + rng.uniform(-0.5, 0.5, 2) * (length - reach * 0.7)
        if rng.random() < near:
            length = reach * rng.uniform(0.35, 0.8)
            centre = np.array([rng.uniform(x0, x1), rng.uniform(y0, y1)])
            if wanted is not None:
                rows, columns = np.nonzero(surface == wanted)
                if len(rows):
                    j = rng.integers(len(rows))
                    centre = np.array([columns[j], rows[j]]) + rng.normal(0, 0.2, 2) * length
    # Never more than threefold magnification: such crops show only blur.
    length = float(np.clip(length, side / 3, size))
    corner = np.clip(centre - length / 2, 0, size - length)
    return corner[0], corner[1], length


def colours(rng, picture):
    """Gamma, contrast, brightness, cast, now and then paler or richer colours or none at all."""
    tones = np.repeat(np.arange(256, dtype=np.float32)[:, None], 3, 1)
    if rng.random() < 0.5:
        tones = 255 * (tones / 255) ** np.exp(rng.uniform(-0.5, 0.5))
    if rng.random() < 0.8:
        tones = (tones - 128) * rng.uniform(0.7, 1.3) + 128 + rng.uniform(-25, 25) + rng.uniform(-10, 10, 3)
    tones = np.clip(tones, 0, 255).astype(np.uint8)
    x = np.stack([tones[:, c][picture[..., c]] for c in range(3)], -1)
    odds = rng.random()
    if odds < 0.26:
        strength = 0.0 if odds < 0.06 else rng.uniform(0.3, 1.5)
        grey = x.mean(-1, keepdims=True, dtype=np.float32)
        x = np.clip(grey + (x - grey) * strength, 0, 255).astype(np.uint8)
    return x


def blank(rng, side):
    """A picture of nothing: one colour, or one that goes over into another, with more or less noise."""
    ends = rng.uniform(0, 255, (2, 3)) * rng.choice([0.1, 1.0], p=[0.3, 0.7])
    if rng.random() < 0.6:
        ends[1] = ends[0]
    way = np.linspace(0, 1, side)[:, None, None]
    picture = np.broadcast_to(ends[0] + (ends[1] - ends[0]) * way, (side, side, 3))
    if rng.random() < 0.5:
        picture = picture.swapaxes(0, 1)
    noise = rng.normal(0, rng.choice([0.0, rng.uniform(0, 12)]), (side, side, 3))
    return np.clip(picture + noise, 0, 255).astype(np.uint8)


def choose_points(rng, code, codes):
    """Places (flat) where truth is compared: anywhere, at contours, some in every part."""
    flat = code.ravel()
    side = code.shape[1]
    edge = np.zeros(code.shape, bool)
    edge[:, 1:] |= code[:, 1:] != code[:, :-1]
    edge[1:] |= code[1:] != code[:-1]
    contour = np.flatnonzero(edge)
    total = next(n for most, n in POINTS if side <= most)
    out = [rng.integers(0, flat.size, int(total * UNIFORM))]
    if len(contour):
        spots = rng.choice(contour, int(total * CONTOUR))
        y = np.clip(spots // side + rng.integers(-2, 2, len(spots)), 0, code.shape[0] - 1)
        x = np.clip(spots % side + rng.integers(-2, 2, len(spots)), 0, side - 1)
        out.append(y * side + x)
    rest = total - sum(len(o) for o in out)
    if len(codes):
        order = np.argsort(flat, kind="stable")
        lows, highs = np.searchsorted(flat[order], codes), np.searchsorted(flat[order], codes, "right")
        which = np.resize(np.arange(len(codes)), rest)
        out.append(order[lows[which] + (rng.random(rest) * (highs - lows)[which]).astype(int)])
    else:
        out.append(rng.integers(0, flat.size, rest))
    return np.concatenate(out)


def example(rng, pool, side, most, framing=USUAL):
    """One crop: picture [side, side, 3], points, codes at the points, targets, centres."""
    shard, i, wanted = pool.pick(rng, most)
    rgb, surface, person = shard.read(i)
    boxes = shard.boxes[i]
    if most > EASY and rng.random() < framing.pasted:
        rgb, surface, person, boxes = paste(rng, pool, rgb, surface, person, boxes)
    x, y, length = choose_crop(rng, boxes, surface.shape[0], side, surface, wanted, 0.3 if most > EASY else 0.15, framing)
    # A little wider or higher than it was drawn.
    stretch = np.exp(rng.normal(0, 0.08))
    box = (x, y, x + length * min(stretch, 1), y + length / max(stretch, 1))
    mirrored = rng.random() < 0.5
    cut = lambda a, how: np.asarray(Image.fromarray(np.ascontiguousarray(a)).resize((side, side), how, box=box))
    rgb, surface, person = cut(rgb, Image.BILINEAR), cut(surface, Image.NEAREST), cut(person, Image.NEAREST)
    if rng.random() < framing.blank:
        rgb, surface, person = blank(rng, side), np.zeros_like(surface), np.zeros_like(person)
    label = seen(surface, person)
    if mirrored:
        rgb, label, person = rgb[:, ::-1], FLIP[label[:, ::-1]], person[:, ::-1]
    # In bytes (at most 20 x 10 + 19): sorting and counting them is quick.
    code = label + L.PARTS * person
    counts = np.bincount(code.ravel())
    found = np.flatnonzero(counts)
    counts = counts[found]
    least = 4 if side < 200 else 8
    keep = (found % L.PARTS > 0) & (found >= L.PARTS) & (counts >= least)
    parts = found[keep]
    area = np.bincount(person.ravel(), minlength=PEOPLE)[:PEOPLE]
    humans = [p for p in range(1, PEOPLE) if area[p] >= 4 * least]
    targets = [(c % L.PARTS, c // L.PARTS) for c in parts] + [(L.HUMAN, p) for p in humans]
    if len(targets) > MOST_TARGETS:
        targets = [targets[j] for j in rng.permutation(len(targets))[:MOST_TARGETS]]
    table = np.full((MOST_TARGETS, 2), -1, np.int64)
    if targets:
        table[:len(targets)] = targets
    points = choose_points(rng, code, parts)
    columns = np.bincount(person.ravel(), np.tile(np.arange(side), side), PEOPLE)[:PEOPLE]
    rows = np.bincount(person.ravel(), np.repeat(np.arange(side), side), PEOPLE)[:PEOPLE]
    centres = np.stack([columns, rows], 1) / np.maximum(area, 1)[:, None] / side
    return colours(rng, rgb), points, code.ravel()[points].astype(np.int64), table, centres.astype(np.float32)


class Batches(IterableDataset):
    """Endless batches; the crop side follows the number of pictures seen."""

    def __init__(self, folder, seed, stage, seen, share, batch=None, framing=USUAL):
        """stage: function of pictures seen; share: pictures seen by everybody for one of ours."""
        self.folder, self.seed, self.stage, self.seen, self.share, self.batch = folder, seed, stage, seen, share, batch
        self.framing = framing

    def __iter__(self):
        info = torch.utils.data.get_worker_info()
        worker, workers = (info.id, info.num_workers) if info else (0, 1)
        rng = np.random.default_rng([self.seed, worker, self.seen])
        pool = Pool(self.folder)
        seen, since = self.seen, 0
        while True:
            side, batch, most = self.stage(seen)
            batch = self.batch or batch
            rows = [example(rng, pool, side, most, self.framing) for _ in range(batch)]
            seen += batch * self.share * workers
            since += batch
            if since >= 2000:
                pool.refresh()
                since = 0
            yield (side, *(torch.from_numpy(np.stack([r[i] for r in rows])) for i in range(5)))
