# SPDX-License-Identifier: Apache-2.0
"""Writes the averaged weights as a ModelScope folder, or as the compact resume file.

    export.py FOLDER                    half-precision pytorch_model.pt and configuration.json
    export.py FOLDER --precision fp32   as trained: to measure what half precision costs
    export.py --resume                  resume.pt: from this a fresh clone goes on training
    ... --blend 0.7                     0.7 of these weights and 0.3 of those of resume.pt, where the run began

FOLDER/training.json tells how long the weights were trained; the model card is written from it.

The loss weighs "no object" less than parts, which makes their scores too high; in FOLDER the bias
of the parts' logits is lowered by as much, so that scores are probabilities. People keep theirs.
"""
import argparse
import json
from pathlib import Path

import torch

import config
from loss import as_probabilities

HERE = Path(__file__).resolve().parent


def rounded(state, dtype):
    """Floating-point tensors in a type; counters are left out."""
    return {k: v.to(dtype) for k, v in state.items() if v.is_floating_point()}


def calibrated(state):
    """The state with the loss's class weights taken out of the parts' scores."""
    name = "sem_seg_head.predictor.class_embed.bias"
    return {**state, name: as_probabilities(state[name])}


def blended(state, earlier, share):
    """The mean of two states, `share` being the first one's weight.

    After M. Wortsman et al., "Robust fine-tuning of zero-shot models", 2022: of a run and of where it began, the
    mean is often better than both.
    """
    return {k: torch.lerp(earlier[k].float(), v, share) if v.is_floating_point() else v for k, v in state.items()}


def half(state):
    """Floating-point tensors in half precision."""
    return rounded(state, torch.float16)


def main():
    """Exports."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, nargs="?")
    parser.add_argument("--precision", choices=["fp16", "fp32"], default="fp16")
    parser.add_argument("--resume", action="store_true")
    parser.add_argument("--blend", type=float, default=1.0, help="weight of the run against resume.pt, 0 to 1")
    parser.add_argument("--runs", type=Path, default=HERE / "runs")
    args = parser.parse_args()
    saved = torch.load(args.runs / "last.pt", map_location="cpu", weights_only=True)
    if args.blend < 1:
        earlier = torch.load(HERE / "resume.pt", map_location="cpu", weights_only=True)["model"]
        saved["average"] = blended(saved["average"], earlier, args.blend)
    if args.resume:
        # The average stands for the weights too: it is the better place to go on from, and
        # Adam's moments are back after the warm-up.
        torch.save(dict(model=half(saved["average"]), criterion=half(saved["criterion"]), seen=saved["seen"], seconds=saved["seconds"]), HERE / "resume.pt")
        print(HERE / "resume.pt", (HERE / "resume.pt").stat().st_size)
    if args.folder:
        args.folder.mkdir(parents=True, exist_ok=True)
        (args.folder / "configuration.json").write_text(json.dumps(config.configuration(), indent=1) + "\n")
        known = {"minutes": round(saved["seconds"] / 60, 1), "seen": saved["seen"], "step": saved["step"]}
        (args.folder / "training.json").write_text(json.dumps(known) + "\n")
        dtype = torch.float16 if args.precision == "fp16" else torch.float32
        torch.save({"model": rounded(calibrated(saved["average"]), dtype)}, args.folder / "pytorch_model.pt")
        print(args.folder, (args.folder / "pytorch_model.pt").stat().st_size)


if __name__ == "__main__":
    main()
