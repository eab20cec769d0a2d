# SPDX-License-Identifier: Apache-2.0
"""Judges a model on scenes of a seed that training never draws; prints JSON.

The model is the averaged one of runs/last.pt, or any ModelScope folder (--model).
"""
import argparse
import itertools
import json
import sys
from pathlib import Path

from native import wake_mkl

wake_mkl()  # before torch comes

import numpy as np
import torch
from PIL import Image

import config
from contact import PALETTE, sheet
from export import calibrated
from m2fp.model import M2FP, load
from parse import Judge, label_map, results
from scenes import labels as L
from scenes import shards, world
from scenes.seen import seen

HERE = Path(__file__).resolve().parent


def network(path, runs):
    """The network in inference mode, and what is known of its training."""
    if path:
        settings = json.loads((path / "configuration.json").read_text())["model"]
        state = torch.load(path / "pytorch_model.pt", map_location="cpu", weights_only=True)["model"]
        known = {}
    else:
        settings = config.configuration()["model"]
        saved = torch.load(runs / "last.pt", map_location="cpu", weights_only=True, mmap=True)
        state = calibrated(saved["average"])
        known = {"minutes": round(saved["seconds"] / 60, 1), "step": saved["step"], "seen": saved["seen"]}
    model = M2FP(settings).eval()
    load(model, state)
    return model, known


def scenes(count, cache):
    """Evaluation scenes, drawn once and kept."""
    name = f"{config.EVALUATION_SEED}-{count}"
    if not (cache / f"{name}.npz").exists():
        shards.write(cache, name, (world.make([config.EVALUATION_SEED, i]) for i in range(count)))
    return shards.Shard(cache / f"{name}.npz")


def feed(model, rgb, side):
    """Results for one square scene shown to the network at another size."""
    picture = np.asarray(Image.fromarray(rgb).resize((side, side), Image.BILINEAR))
    with torch.no_grad():
        logits, masks = model(torch.from_numpy(picture.copy()).permute(2, 0, 1)[None])
    return results(logits[0], masks[0], (side, side, *rgb.shape[:2]))


def haunted(model, side):
    """In which share of pictures of one colour somebody is found: none should be."""
    colours = list(itertools.product((0, 128, 255), repeat=3))
    pictures = (np.full((side, side, 3), colour, np.uint8) for colour in colours)
    return sum(bool((feed(model, p, side)[0] == L.HUMAN).any()) for p in pictures) / len(colours)


def main():
    """Evaluates, appends to runs/curve.jsonl and, if asked, draws a sheet."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path)
    parser.add_argument("--runs", type=Path, default=HERE / "runs")
    parser.add_argument("--cache", type=Path, default=HERE / "cache" / "evaluation")
    parser.add_argument("--scenes", type=int, default=config.EVALUATION_SCENES)
    parser.add_argument("--side", type=int, help="size fed to the network (default: fitting the training stage)")
    parser.add_argument("--least", type=float, default=config.MAP, help="score that a part needs to be in the label map")
    parser.add_argument("--sheet", type=Path, help="PNG of the first scenes: picture, truth, result")
    args = parser.parse_args()
    torch.set_num_threads(1)
    model, known = network(args.model, args.runs)
    side = args.side or config.settled(known.get("seen", 1 << 39))[0]
    data = scenes(args.scenes, args.cache)
    judge = Judge()
    rows = []
    for i in range(len(data)):
        rgb, surface, person = data.read(i)
        label = seen(surface, person)
        kinds, scores, masks, soft = feed(model, rgb, side)
        judge.add(label, person, kinds, scores, masks, soft, args.least)
        if args.sheet and i < 24:
            if i % 8 == 0:
                rows += [[], [], [], []]
            guess = label_map(kinds, scores, masks, soft, args.least)
            people = rgb // 3
            for n, (k, s, m) in enumerate(zip(kinds, scores, masks)):
                if k == 20 and s > 0.5:
                    people[m] = people[m] // 2 + PALETTE[1 + n % 19] // 2
            for row, tile in zip(rows[-4:], (rgb, PALETTE[label], PALETTE[guess], people)):
                row.append(tile)
    figures = {**known, "side": side, "scenes": len(data), "haunted": haunted(model, side), **judge.figures()}
    if args.sheet:
        sheet(rows, 180).save(args.sheet)
    print(json.dumps(figures, indent=1))
    if known and args.scenes == config.EVALUATION_SCENES:
        with open(args.runs / "curve.jsonl", "a") as f:
            f.write(json.dumps(figures) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
