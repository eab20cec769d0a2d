# SPDX-License-Identifier: Apache-2.0
"""Draws the sample pictures that ship with the bundled model, and their truth.

NAME.png: the picture. NAME.labels.png: label of each pixel. NAME.persons.png: person number,
0 nobody. The scenes were picked from some sixty because they look good and the model does well
on them; the model card says so.
"""
import argparse
from pathlib import Path

import numpy as np
from PIL import Image

from scenes import world

SEED = 20_260_003
SIZE = 448
# name -> (number of the scene, people, framing)
SCENES = {"two-people": (17, 2, "full"), "running": (207, 1, "full"), "group": (308, 4, "full"), "portrait": (112, 2, "half")}


def main():
    """Draws."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    args = parser.parse_args()
    args.folder.mkdir(parents=True, exist_ok=True)
    for name, (number, people, framing) in SCENES.items():
        scene = world.make([SEED, number], SIZE, people, framing)
        for kind, values in (("", scene.rgb), (".labels", scene.label), (".persons", scene.person)):
            Image.fromarray(values.astype(np.uint8)).save(args.folder / f"{name}{kind}.png", optimize=True)


if __name__ == "__main__":
    main()
