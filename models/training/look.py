# SPDX-License-Identifier: Apache-2.0
"""Shows what a model finds in picture files: picture, parts, people, side by side."""
import argparse
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from contact import PALETTE
from evaluate import HERE, network
from parse import label_map, results


def main():
    """Writes one PNG, a row a picture."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out")
    parser.add_argument("pictures", nargs="+", type=Path)
    parser.add_argument("--model", type=Path)
    parser.add_argument("--runs", type=Path, default=HERE / "runs")
    parser.add_argument("--short", type=int, default=256, help="short side fed to the network")
    parser.add_argument("--high", type=int, default=320, help="height of a row in the sheet")
    args = parser.parse_args()
    torch.set_num_threads(1)
    model, _ = network(args.model, args.runs)
    rows = []
    for path in args.pictures:
        picture = Image.open(path).convert("RGB")
        scale = args.high / picture.height
        picture = picture.resize((round(picture.width * scale), args.high), Image.BILINEAR)
        rgb = np.asarray(picture)
        scale = args.short / min(picture.size)
        fed = picture.resize((round(picture.width * scale), round(picture.height * scale)), Image.BILINEAR)
        with torch.no_grad():
            logits, masks = model(torch.from_numpy(np.array(fed)).permute(2, 0, 1)[None])
        kinds, scores, found, soft = results(logits[0], masks[0], (fed.height, fed.width, *rgb.shape[:2]))
        parts = PALETTE[label_map(kinds, scores, found, soft)] // 2 + rgb // 2
        people = rgb // 3
        for n, (k, s, m) in enumerate(zip(kinds, scores, found)):
            if k == 20 and s > 0.5:
                people[m] = people[m] // 2 + PALETTE[1 + n % 19] // 2
        rows.append(np.concatenate([rgb, parts, people], 1))
    wide = max(r.shape[1] for r in rows)
    Image.fromarray(np.concatenate([np.pad(r, ((0, 0), (0, wide - r.shape[1]), (0, 0))) for r in rows])).save(args.out)


if __name__ == "__main__":
    main()
