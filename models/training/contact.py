# SPDX-License-Identifier: Apache-2.0
"""Contact sheets: pictures above their truth, to be looked at."""
import argparse

import numpy as np
from PIL import Image

from scenes import world

PALETTE = np.array([[0, 0, 0], [128, 0, 0], [255, 0, 0], [0, 85, 0], [170, 0, 51], [255, 85, 0], [0, 0, 85], [0, 119, 221], [85, 85, 0], [0, 85, 85],
                    [85, 51, 0], [52, 86, 128], [0, 128, 0], [0, 0, 255], [51, 170, 221], [0, 255, 255], [85, 255, 170], [170, 255, 85], [255, 255, 0],
                    [255, 170, 0]], np.uint8)


def sheet(rows, tile):
    """Pastes lists of pictures (RGB arrays) as rows of one picture."""
    out = Image.new("RGB", (tile * max(len(r) for r in rows), tile * len(rows)))
    for y, row in enumerate(rows):
        for x, picture in enumerate(row):
            out.paste(Image.fromarray(picture).resize((tile, tile), Image.BILINEAR), (x * tile, y * tile))
    return out


def main():
    """Draws scenes of consecutive seeds into one PNG."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--columns", type=int, default=6)
    parser.add_argument("--rows", type=int, default=3)
    parser.add_argument("--size", type=int, default=320)
    parser.add_argument("--tile", type=int, default=240)
    parser.add_argument("--people", type=int)
    parser.add_argument("--framing", choices=["portrait", "detail", "half", "full", "far"])
    parser.add_argument("--truth", action="store_true", help="show the labels below each row")
    args = parser.parse_args()
    rows = []
    for r in range(args.rows):
        scenes = [world.make([args.seed, r * args.columns + c], args.size, args.people, args.framing) for c in range(args.columns)]
        rows.append([s.rgb for s in scenes])
        if args.truth:
            rows.append([PALETTE[s.label] for s in scenes])
    sheet(rows, args.tile).save(args.out)


if __name__ == "__main__":
    main()
