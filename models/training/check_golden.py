# SPDX-License-Identifier: Apache-2.0
"""Compares the network with golden outputs of the reference (a folder of cases)."""
import argparse
import gzip
import json
import sys
from pathlib import Path

import numpy as np
import torch

from m2fp.model import M2FP


def tensor(folder, case, name):
    """A tensor of a case."""
    entry = case["tensors"][name]
    raw = gzip.decompress((folder / entry.get("file", f"{name}.bin.gz")).read_bytes())
    return np.frombuffer(raw, entry["dtype"]).reshape(entry["shape"])


def main():
    """Prints the largest differences of each case; fails above 1e-3 (logits) or 4e-3 (masks)."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    args = parser.parse_args()
    config = json.loads((args.folder / "configuration.json").read_text())["model"]
    model = M2FP(config).eval()
    state = torch.load(args.folder / "pytorch_model.pt", map_location="cpu", weights_only=True)["model"]
    missing, extra = model.load_state_dict(state, strict=False)
    missing = [k for k in missing if "num_batches_tracked" not in k]
    print("missing", missing, "extra", extra)
    bad = bool(missing)
    for path in sorted(args.folder.glob("*/case.json")):
        case = json.loads(path.read_text())
        if case["kind"] != "network":
            continue
        with torch.no_grad():
            logits, masks = model(torch.from_numpy(tensor(path.parent, case, "image").copy()).permute(2, 0, 1)[None])
        a = np.abs(logits[0].numpy() - tensor(path.parent, case, "pred_logits")).max()
        b = np.abs(masks[0].numpy() - tensor(path.parent, case, "pred_masks")).max()
        print(path.parent.name, "logits", a, "masks", b, "noise floor", case.get("noise_f32_vs_f64"))
        bad |= a > 1e-3 or b > 4e-3
    sys.exit(int(bad))


if __name__ == "__main__":
    main()
