# SPDX-License-Identifier: Apache-2.0
"""Draws scenes into the cache, for ever or up to a number, replacing the oldest.

Each worker has its own stream of seeds and goes on where it stopped.
"""
import argparse
import time
from pathlib import Path

from scenes import shards, world

HERE = Path(__file__).resolve().parent
SCENES = 128  # a shard
TRAINING_SEED = 1
# Of five shards two are like pictures in use, two show what is near in few of these, and in one each garment and limb
# is shown as often, from near. A few usual scenes have most of the rare parts' pixels, and would be learnt by heart.
KINDS = shards.USUAL, shards.RICH, shards.DETAIL, shards.USUAL, shards.RICH


def scene(kind, seed, size):
    """The scene of a seed, or None."""
    if kind == shards.RICH:
        return world.rich(seed, size)
    return world.make(seed, size, framing="detail" if kind == shards.DETAIL else None)


def main():
    """Runs one worker."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, default=HERE / "cache")
    parser.add_argument("--worker", type=int, default=0)
    parser.add_argument("--until", type=int, default=0, help="stop when the folder holds this many scenes (0: never)")
    parser.add_argument("--keep", type=int, default=60000, help="scenes kept; older ones are deleted")
    parser.add_argument("--duty", type=float, default=1.0, help="share of the time spent drawing")
    parser.add_argument("--kind", choices=sorted(set(KINDS)), help="of all scenes, instead of a mixture")
    parser.add_argument("--size", type=int, default=320)
    args = parser.parse_args()
    args.folder.mkdir(parents=True, exist_ok=True)
    counter = args.folder / f"worker{args.worker}.next"
    number = int(counter.read_text()) if counter.exists() else 0
    stop = args.folder / "stop"
    while not stop.exists() and not (args.until and len(shards.listing(args.folder)) * SCENES >= args.until):
        made, tried = [], 0
        kind = args.kind or KINDS[number % len(KINDS)]
        while len(made) < SCENES:
            start = time.monotonic()
            drawn = scene(kind, [TRAINING_SEED, args.worker, number, tried], args.size)
            tried += 1
            if drawn:
                made.append(drawn)
            time.sleep((time.monotonic() - start) * (1 / args.duty - 1))
            if stop.exists():
                return
        shards.write(args.folder, f"{number:06d}-{args.worker}" + ("" if kind == shards.USUAL else f"-{kind}"), made)
        number += 1
        counter.write_text(str(number))
        held = shards.listing(args.folder)
        while len(held) * SCENES > args.keep:
            oldest = held.pop(0)
            oldest.unlink(missing_ok=True)
            oldest.with_suffix(".bin").unlink(missing_ok=True)


if __name__ == "__main__":
    main()
