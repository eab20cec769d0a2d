# SPDX-License-Identifier: Apache-2.0
"""Figures by what the drawn people are like: skin tone, age, build, view, size on the picture.

Scenes of a seed of their own, which neither training nor evaluate.py draws, with the people's
attributes kept (drawn once, then read from the cache). Prints Markdown for the model card;
--card FILE puts it between that file's two `fairness` comments.

A person is found where a person of the result overlaps it by IoU 0.5, whatever its score (the
product returns those from 0.1 on), each result standing for one person at most; the interval
is Wilson's at 95 %. The IoUs count the pixels of a person's box that are that person's or
nobody's, all people of a group together.
"""
import argparse
import json
import re
from pathlib import Path

import numpy as np
import torch

from evaluate import HERE, feed, network
from parse import label_map
from scenes import labels as L
from scenes import shards, world
from scenes.seen import seen

SEED = 20_260_002
LEAST = 64  # pixels of a person that is judged, as in parse.Judge
COLUMNS = {"face": [L.FACE], "hair": [L.HAIR], "arms": [L.ARM_L, L.ARM_R], "legs": [L.LEG_L, L.LEG_R]}


def tone_angle(tone):
    """Individual typology angle of a colour in linear light, degrees: CIELAB under D65."""
    x, y, z = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]) @ tone / [0.9505, 1, 1.089]
    f = lambda t: np.cbrt(t) if t > 0.008856 else 7.787 * t + 16 / 116
    return np.degrees(np.arctan2(116 * f(y) - 66, 200 * (f(y) - f(z))))


def band(value, limits, names):
    """The name of the first band whose limit lies above the value."""
    return names[int(np.searchsorted(limits, value, "right"))]


# What people are grouped by -> the group of a person; share: height of what is seen of them by the picture's.
GROUPS = {
    "skin tone": (["light", "medium", "brown", "dark"],
                  lambda a, share: band(tone_angle(a["tone"]), [-30, 10, 41], ["dark", "brown", "medium", "light"])),
    "age": (["child", "teen", "adult", "old"], lambda a, share: a["age"]),
    "build": (["slim", "medium", "heavy"], lambda a, share: band(a["weight"], [0.9, 1.15], ["slim", "medium", "heavy"])),
    "body": (["female", "male"], lambda a, share: "male" if a["male"] else "female"),
    "view": (["front", "side", "back"], lambda a, share: band(a["angle"], [45, 135], ["front", "side", "back"])),
    "height in the picture": (["above 60 %", "30 to 60 %", "below 30 %"],
                              lambda a, share: band(share, [0.3, 0.6], ["below 30 %", "30 to 60 %", "above 60 %"])),
}


class Tally:
    """Counts of one group."""

    def __init__(self):
        self.people = self.found = 0
        self.confusion = np.zeros((L.PARTS, L.PARTS), np.int64)

    def row(self):
        """People, recall, its interval, IoU by part, all as text."""
        hit, c = np.diag(self.confusion), self.confusion
        union = c.sum(0) + c.sum(1) - hit
        parts = [np.mean(hit[kinds] / np.maximum(union[kinds], 1)) if c[kinds].sum() else None for kinds in COLUMNS.values()]
        if not self.people:
            return ["0", *["-"] * (2 + len(parts))]
        n, p, z = self.people, self.found / self.people, 1.96
        middle, half = p + z * z / 2 / n, z * np.sqrt(p * (1 - p) / n + z * z / 4 / n / n)
        low, high = (middle - half) / (1 + z * z / n), (middle + half) / (1 + z * z / n)
        return [str(n), f"{p:.2f}", f"{low:.2f} to {high:.2f}", *("-" if v is None else f"{v:.2f}" for v in parts)]


def scenes(count, cache):
    """The scenes and, scene by scene, the attributes of their people by number."""
    name = f"{SEED}-{count}"
    known = cache / f"{name}.json"
    if not known.exists():
        people = []

        def drawn():
            for i in range(count):
                scene = world.make([SEED, i])
                people.append({str(n): a for n, a in scene.people.items()})
                yield scene

        shards.write(cache, name, drawn())
        known.write_text(json.dumps(people))
    return shards.Shard(cache / f"{name}.npz"), json.loads(known.read_text())


def found_people(truth, masks):
    """Which of the truth's masks a result stands for; results best first."""
    free = dict(enumerate(truth))
    for m in masks:
        overlap = {j: (m & t).sum() / (m | t).sum() for j, t in free.items()}
        best = max(overlap, key=overlap.get, default=None)
        if best is not None and overlap[best] >= 0.5:
            del free[best]
    return [j not in free for j in range(len(truth))]


def around(mask):
    """The box of a mask, as slices."""
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    return slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)


def judge(model, side, data, people):
    """A tally for each group, and one of everybody."""
    tallies = {"all": {"everybody": Tally()}, **{kind: {name: Tally() for name in names} for kind, (names, _) in GROUPS.items()}}
    for i, known in enumerate(people):
        rgb, surface, person = data.read(i)
        label = seen(surface, person)
        kinds, scores, masks, soft = feed(model, rgb, side)
        guess = label_map(kinds, scores, masks, soft)
        numbers = [n for n in np.unique(person) if n and (person == n).sum() >= LEAST]
        truth = [person == n for n in numbers]
        for n, mask, found in zip(numbers, truth, found_people(truth, masks[kinds == L.HUMAN])):
            box = around(mask)
            counted = np.isin(person[box], [0, n])
            confusion = np.bincount(label[box][counted].astype(int) * L.PARTS + guess[box][counted], minlength=L.PARTS ** 2).reshape(L.PARTS, L.PARTS)
            share = (box[0].stop - box[0].start) / label.shape[0]
            mine = [tallies[kind][group(known[str(n)], share)] for kind, (_, group) in GROUPS.items()]
            for tally in [tallies["all"]["everybody"], *mine]:
                tally.people += 1
                tally.found += found
                tally.confusion += confusion
    return tallies


def markdown(tallies, side, count, known):
    """The table, and a line that tells what was measured; known: of the training, as export.py writes it."""
    head = ["", "", "people", "found", "95 % interval", *(f"{name} IoU" for name in COLUMNS)]
    rows = [[kind if first == 0 else "", name, *tally.row()] for kind, group in tallies.items() for first, (name, tally) in enumerate(group.items())]
    widths = [max(3, *(len(row[i]) for row in [head, *rows])) for i in range(len(head))]
    line = lambda cells: "| " + " | ".join(cell.ljust(n) for cell, n in zip(cells, widths)) + " |"
    table = "\n".join([line(head), line(["-" * n for n in widths]), *map(line, rows)])
    when = f"Weights after {known['minutes']:.0f} minutes of training, {count} drawn scenes of their own, {side} pixels fed to the network"
    return f"{when} (`models/training/fairness.py`):\n\n{table}\n"


def put(card, name, text):
    """Replaces what stands between the comments `<!-- name -->` and `<!-- /name -->` of a file."""
    old = card.read_text()
    new, times = re.subn(rf"(<!-- {name} -->\n).*?(<!-- /{name} -->)", lambda m: f"{m[1]}\n{text}\n{m[2]}", old, flags=re.S)
    if times != 1:
        raise SystemExit(f"{card} needs the lines <!-- {name} --> and <!-- /{name} --> once")
    card.write_text(new)


def main():
    """Judges."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, help="an exported folder (default: the average of runs/last.pt)")
    parser.add_argument("--runs", type=Path, default=HERE / "runs")
    parser.add_argument("--cache", type=Path, default=HERE / "cache" / "evaluation")
    parser.add_argument("--scenes", type=int, default=300)
    parser.add_argument("--side", type=int, help="size fed to the network (default: the bundled model's)")
    parser.add_argument("--card", type=Path, help="Markdown file whose table is replaced")
    args = parser.parse_args()
    torch.set_num_threads(1)
    model, known = network(args.model, args.runs)
    if args.model:
        known = json.loads((args.model / "training.json").read_text())
    side = args.side or json.loads((HERE.parent / "demo" / "m2fp.json").read_text())["input"]["shortSide"]
    data, people = scenes(args.scenes, args.cache)
    text = markdown(judge(model, side, data, people), side, args.scenes, known)
    if args.card:
        put(args.card, "fairness", text)
    print(text)


if __name__ == "__main__":
    main()
