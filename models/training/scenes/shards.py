# SPDX-License-Identifier: Apache-2.0
"""Drawn scenes on disk: a blob of JPEG pictures and packed truth, and a small index.

Truth is one byte a pixel: surface + 22 x person number (at most 10 people), zlib-packed.
"""
import io
import zlib
from pathlib import Path

import numpy as np
from PIL import Image

from . import labels as L

PEOPLE = 10  # at most in a scene, so that a byte holds the truth
BOXES = PEOPLE + 1
# Kinds of scenes; all but the usual ones are chosen for what they show, and told at the end of a shard's name.
USUAL, DETAIL, RICH = "usual", "detail", "rich"


def describe(label, person):
    """Pixels of each class, and each person's box (x0, y0, x1, y1; zeros when absent)."""
    counts = np.bincount(label.ravel(), minlength=L.PARTS)[:L.PARTS]
    boxes = np.zeros((BOXES, 4), np.int16)
    for p in range(1, BOXES):
        mask = person == p
        rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
        if len(rows):
            boxes[p] = columns[0], rows[0], columns[-1] + 1, rows[-1] + 1
    return counts.astype(np.int32), boxes


def write(folder, name, scenes, quality=93):
    """Writes scenes as folder/name.bin and folder/name.npz (the index last)."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    spans, counts, boxes = [], [], []
    at = 0
    with open(folder / f"{name}.bin", "wb") as blob:
        for scene in scenes:
            buffer = io.BytesIO()
            Image.fromarray(scene.rgb).save(buffer, "JPEG", quality=quality, subsampling=0)
            truth = zlib.compress((scene.surface + L.SURFACES * scene.person).astype(np.uint8).tobytes(), 6)
            blob.write(buffer.getvalue() + truth)
            spans.append((at, buffer.tell(), len(truth), scene.surface.shape[0]))
            at += buffer.tell() + len(truth)
            c, b = describe(scene.label, scene.person)
            counts.append(c)
            boxes.append(b)
    # numpy adds its own suffix to other names, hence the .part before it.
    part = folder / f"{name}.part.npz"
    np.savez(part, spans=np.array(spans, np.int64), counts=np.array(counts), boxes=np.array(boxes))
    part.replace(folder / f"{name}.npz")


class Shard:
    """Reads one pair of files; pictures are unpacked when asked for."""

    def __init__(self, index):
        index = Path(index)
        with np.load(index) as data:
            self.spans, self.counts, self.boxes = data["spans"], data["counts"], data["boxes"]
        named = index.stem.split("-")  # number, worker and, unless usual, kind
        self.kind = named[2] if len(named) > 2 else USUAL
        self.blob = np.memmap(index.with_suffix(".bin"), np.uint8, "r")

    def __len__(self):
        return len(self.spans)

    def read(self, i):
        """rgb, surface, person of scene i; seen() makes labels of surfaces."""
        at, picture, truth, size = (int(v) for v in self.spans[i])
        rgb = np.asarray(Image.open(io.BytesIO(self.blob[at:at + picture].tobytes())).convert("RGB"))
        code = np.frombuffer(zlib.decompress(self.blob[at + picture:at + picture + truth].tobytes()), np.uint8).reshape(size, -1)
        return rgb, code % L.SURFACES, code // L.SURFACES


def listing(folder):
    """Index files of a folder, oldest first."""
    return sorted(p for p in Path(folder).glob("*.npz") if ".part" not in p.name)
