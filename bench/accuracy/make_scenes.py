# SPDX-License-Identifier: Apache-2.0
"""Draws the first evaluation scenes of models/training as a folder in CIHP's layout.

    models/training/.venv/bin/python bench/accuracy/make_scenes.py bench/scenes [--bytes 4500000]

Scene n is the n-th of the evaluation seed, which training never draws; as many are written as
fit. Images/*.jpg: the picture as the trainer's own shards store it. Category_ids/*.png: label of each
pixel. Human_ids/*.png: person number, 0 nobody. Instance_ids/*.png: part number, one for each
label of each person; *.txt beside it: part number, label and person number, one part a line.
All PNGs are 8-bit greyscale.
"""
import argparse
import io
import sys
from pathlib import Path

import numpy as np
from PIL import Image

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "models" / "training"))

import config  # noqa: E402
from scenes import world  # noqa: E402

FOLDERS = ("Images", "Category_ids", "Human_ids", "Instance_ids")


def jpeg(rgb):
    """The picture, encoded as scenes/shards.py does."""
    out = io.BytesIO()
    Image.fromarray(rgb).save(out, "JPEG", quality=93, subsampling=0)
    return out.getvalue()


def png(values):
    """One number a pixel."""
    out = io.BytesIO()
    Image.fromarray(values.astype(np.uint8)).save(out, "PNG", optimize=True)
    return out.getvalue()


def instances(label, person):
    """Part number of each pixel, and (number, label, person) of each part."""
    out = np.zeros(label.shape, np.uint8)
    rows = []
    for p in np.unique(person[person > 0]):
        for kind in np.unique(label[(person == p) & (label > 0)]):
            rows.append((len(rows) + 1, int(kind), int(p)))
            if len(rows) > 255:
                raise ValueError("more than 255 parts do not fit into a byte")
            out[(person == p) & (label == kind)] = len(rows)
    return out, rows


def files(name, scene):
    """What is written for a scene: path -> bytes."""
    numbers, rows = instances(scene.label, scene.person)
    return {
        f"Images/{name}.jpg": jpeg(scene.rgb),
        f"Category_ids/{name}.png": png(scene.label),
        f"Human_ids/{name}.png": png(scene.person),
        f"Instance_ids/{name}.png": png(numbers),
        f"Instance_ids/{name}.txt": "".join(f"{n} {kind} {p}\n" for n, kind, p in rows).encode(),
    }


def main():
    """Draws."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--bytes", type=int, default=4_500_000, help="size of all files together at most")
    args = parser.parse_args()
    for folder in FOLDERS:
        (args.folder / folder).mkdir(parents=True, exist_ok=True)
    written = count = 0
    while count < config.EVALUATION_SCENES:
        scene = files(f"{count + 1:07d}", world.make([config.EVALUATION_SEED, count]))
        written += sum(map(len, scene.values()))
        if written > args.bytes:
            break
        for path, content in scene.items():
            (args.folder / path).write_bytes(content)
        count += 1
    print(count, "scenes")


if __name__ == "__main__":
    main()
