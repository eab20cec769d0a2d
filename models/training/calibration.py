# SPDX-License-Identifier: Apache-2.0
"""Draws the scenes that ship with the bundled model for whoever makes a model int8 and has no pictures.

NN.webp: the ranges of the network's activations are taken from them. No other set has scenes of this seed. Every fifth
one shows rare parts.
"""
import argparse
from pathlib import Path

import numpy as np
from PIL import Image

from scenes import world

SEED = 20_260_005
SIZE = 320
COUNT = 36
# 160 kB in all: finer ones make no better model.
QUALITY = 55


def main():
    """Draws."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    args = parser.parse_args()
    args.folder.mkdir(parents=True, exist_ok=True)
    drawn, number = 0, 0
    while drawn < COUNT:
        scene = (world.rich if number % 5 == 3 else world.make)([SEED, number], SIZE)
        number += 1
        if scene is None:
            continue
        picture = Image.fromarray(scene.rgb.astype(np.uint8))
        picture.save(args.folder / f"{drawn:02d}.webp", quality=QUALITY, method=6)
        drawn += 1


if __name__ == "__main__":
    main()
