# SPDX-License-Identifier: Apache-2.0
"""Draws people in clothes of known paints under known lights (models/training/scenes/wardrobe.py) into a folder.

    models/training/.venv/bin/python bench/describe/make_wardrobe.py bench/wardrobe [--scenes 24]

NN-LIGHT.jpg: scene NN under a light. truth.json: for each scene its name and size, the lights, the persons (number, mask)
and the parts (person, label, mask; paints: names of what the garment or hair was painted with, the main one first). Masks
are COCO's run-length encoding.
"""
import argparse
import json
import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "models" / "training"))

from scenes import labels as L  # noqa: E402
from scenes import wardrobe  # noqa: E402

SEED = 20_260_020
LEAST = 12  # pixels of a part


def rle(mask):
    """COCO's compressed run-length encoding of a boolean mask [H, W]."""
    flat = np.concatenate([[False], mask.T.ravel(), [not mask.T.ravel()[-1]]])
    ends = np.flatnonzero(flat[1:] != flat[:-1])
    counts = np.diff(np.concatenate([[0], ends])).tolist()
    out = []
    for i, count in enumerate(counts):
        x = count - counts[i - 2] if i > 2 else count
        while True:
            c = x & 31
            x >>= 5
            more = x != -1 if c & 16 else x != 0
            out.append(chr((c | 32 if more else c) + 48))
            if not more:
                break
    return {"size": list(mask.shape), "counts": "".join(out)}


def truth(name, scene):
    """What is true of a scene, for JSON."""
    parts = []
    persons = [int(p) for p in np.unique(scene.person) if p]
    for p in persons:
        for label in np.unique(scene.label[scene.person == p]):
            mask = (scene.person == p) & (scene.label == label)
            if label != L.BACKGROUND and mask.sum() >= LEAST:
                paints = scene.paints.get(p, {}).get(int(label))
                parts.append({"person": p, "label": L.NAMES[label], "mask": rle(mask), **({"paints": paints} if paints else {})})
    return {"name": name, "width": scene.label.shape[1], "height": scene.label.shape[0], "lights": list(scene.jpegs),
            "persons": [{"person": p, "mask": rle(scene.person == p)} for p in persons], "parts": parts}


def main():
    """Draws."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--scenes", type=int, default=24)
    args = parser.parse_args()
    args.folder.mkdir(parents=True, exist_ok=True)
    truths = []
    for number in range(args.scenes):
        name = f"{number + 1:02d}"
        scene = wardrobe.fit([SEED, number])
        for light, jpeg in scene.jpegs.items():
            (args.folder / f"{name}-{light}.jpg").write_bytes(jpeg)
        truths.append(truth(name, scene))
    text = ",\n".join(json.dumps(t, separators=(",", ":")) for t in truths)
    (args.folder / "truth.json").write_text(f"[\n{text}\n]\n")


if __name__ == "__main__":
    main()
