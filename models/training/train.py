# SPDX-License-Identifier: Apache-2.0
"""The trainer: two processes of one thread on a CPU, one process on a GPU; resumable.

Goes on from runs/last.pt, else from resume.pt (written by export.py), else from nothing.
A file runs/stop ends it after the current step, with a checkpoint.
"""
import argparse
import math
import os
import time
from pathlib import Path

from native import wake_mkl

wake_mkl()  # before torch comes

import torch
import torch.distributed as dist
import torch.multiprocessing as mp
from torch.utils.data import DataLoader

import config
from data import LAST, USUAL, Batches
from loss import Criterion
from m2fp.model import M2FP, load
from muon import Muon, suits

HERE = Path(__file__).resolve().parent
SAVE_EVERY = 240.0  # seconds
LOG_EVERY = 25  # steps
SETTLE = 0.5  # what is left of the falling rate when batch norm goes over to constants, and crops come closer to use, in size too
PRECISE = 60  # batches a process that these constants are taken from
SYNC_EVERY = 1000  # steps after which rounding may not have driven the processes apart


def rate(step, seen, seconds_left, cooldown):
    """Learning rate: warm-up, a slow fall as long as hours are given, a cosine at the end."""
    value = config.RATE * min(1.0, (step + 1) / config.WARM_UP) / math.sqrt(1 + seen / config.SLOWER)
    share = falling(seconds_left, cooldown)
    return value if share is None else value * (0.02 + 0.98 * (0.5 - 0.5 * math.cos(math.pi * share)))


def falling(seconds_left, cooldown):
    """What is left of the time of the falling rate, 1 to 0; None before it."""
    if seconds_left is None or max(seconds_left, 0) >= cooldown:
        return None
    return max(seconds_left, 0) / cooldown


def undecayed(name, p):
    """Norms, biases and embeddings."""
    return p.ndim < 2 or "query_" in name or "level_embed" in name


def optimisers(named):
    """AdamW and Muon share out the (name, parameter) pairs."""
    hidden = [p for name, p in named if suits(name, p)]
    decay = [p for name, p in named if not suits(name, p) and not undecayed(name, p)]
    plain = [p for name, p in named if undecayed(name, p)]
    adam = torch.optim.AdamW(
        [{"params": decay, "weight_decay": config.DECAY}, {"params": plain, "weight_decay": 0.0}],
        lr=config.RATE, betas=(0.9, 0.99), fused=True)
    return adam, Muon(hidden, config.RATE, config.MOMENTUM, config.DECAY)


class Average:
    """Exponential moving average of a network's state."""

    def __init__(self, model):
        self.state = {k: v.detach().clone() for k, v in model.state_dict().items()}
        self.steps = 0

    def update(self, model, falling):
        """Moves towards the present weights; faster at the beginning and while the rate is falling."""
        self.steps += 1
        keep = min(config.EMA_FALLING if falling else config.EMA, (1 + self.steps) / (10 + self.steps))
        now = model.state_dict()
        floating = [k for k, v in now.items() if v.is_floating_point()]
        torch._foreach_lerp_([self.state[k] for k in floating], [now[k] for k in floating], 1 - keep)
        for k, v in now.items():
            if not v.is_floating_point():
                self.state[k].copy_(v)


def freeze(model, batches, world):
    """Batch norm goes on with the statistics of many batches, as in use.

    A batch's own differ from them, and the network reacts to a hundredth of a deviation. After
    Y. Wu, J. Johnson, "Rethinking 'Batch' in BatchNorm", 2021 (precise statistics, frozen norms).
    """
    norms = [m for m in model.modules() if isinstance(m, torch.nn.BatchNorm2d)]
    usual = norms[0].momentum
    for n in norms:
        n.reset_running_stats()
        n.momentum = None  # the mean of all batches
    with torch.no_grad():
        for pictures in batches:
            model.features(pictures)
    for n in norms:
        for value in (n.running_mean, n.running_var):
            if world > 1:
                dist.all_reduce(value)
            value /= world
        n.momentum = usual
        n.eval()


def save(path, content):
    """Writes a checkpoint so that a stop in between never harms the last one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(".tmp")
    torch.save(content, temporary)
    temporary.replace(path)


def restore(args, model, criterion, adam, muon, average):
    """State of an earlier run, where there is one: step, pictures seen, seconds trained."""
    path = args.runs / "last.pt"
    if path.exists():
        saved = torch.load(path, map_location="cpu", weights_only=True)
        model.load_state_dict(saved["model"])
        criterion.load_state_dict(saved["criterion"])
        adam.load_state_dict(saved["adam"])
        muon.load_state_dict(saved["muon"])
        average.state = {k: v.to(average.state[k].device) for k, v in saved["average"].items()}
        average.steps = saved["average_steps"]
        return saved["step"], saved["seen"], saved["seconds"]
    path = HERE / "resume.pt"
    if path.exists() and not args.fresh:
        saved = torch.load(path, map_location="cpu", weights_only=True)
        load(model, saved["model"])
        criterion.load_state_dict({k: v.float() for k, v in saved["criterion"].items()})
        average.state = {k: v.detach().clone() for k, v in model.state_dict().items()}
        average.steps = 10_000
        # The optimiser starts anew, so there is a warm-up again, as long as its moments need.
        return config.WARM_UP - config.WARM_UP_AGAIN, saved["seen"], saved["seconds"]
    return 0, 0, 0.0


def run(rank, world, args):
    """One training process."""
    gpu = torch.cuda.is_available()
    device = torch.device("cuda" if gpu else "cpu")
    torch.manual_seed(args.seed)
    if gpu:
        torch.backends.cudnn.allow_tf32 = True  # not for matrix products: Muon's need the precision
    else:
        torch.set_num_threads(1)
        torch.set_flush_denormal(True)
    if world > 1:
        os.environ.setdefault("MASTER_ADDR", "127.0.0.1")
        os.environ.setdefault("MASTER_PORT", str(args.port))
        dist.init_process_group("gloo", rank=rank, world_size=world)
    settings = config.configuration()["model"]
    model = M2FP(settings).to(device, memory_format=torch.channels_last)
    criterion = Criterion(settings["encoder"]["conv_dim"], settings["decoder"]["num_classes"]).to(device)
    named = [*model.named_parameters(), *criterion.named_parameters()]
    adam, muon = optimisers(named)
    average = Average(model)
    step, seen, seconds = restore(args, model, criterion, adam, muon, average)
    parameters = [p for _, p in named]
    # Gradients are pieces of one vector: exchanged, clipped and cleared as a whole. Three more
    # numbers travel with it.
    flat = torch.zeros(sum(p.numel() for p in parameters) + 3, device=device)
    gradient, extra, at = flat[:-3], flat[-3:], 0
    for p in parameters:
        p.grad = torch.as_strided(gradient, p.shape, p.stride(), at)
        at += p.numel()
    stop = args.runs / "stop"
    began = saved = logged = time.monotonic()
    told, shown, steps, settled = {}, 0, 0, False
    model.train()

    def batches(stage, framing):
        data = Batches(args.cache, [args.seed, rank], stage, seen, world, args.batch, framing)
        return iter(DataLoader(data, batch_size=None, num_workers=args.workers, prefetch_factor=4 if args.workers else None))

    def prepare(pictures):
        return pictures.to(device, non_blocking=True).permute(0, 3, 1, 2).float()

    def keep():
        save(args.runs / "last.pt", dict(
            model=model.state_dict(), criterion=criterion.state_dict(), adam=adam.state_dict(), muon=muon.state_dict(),
            average=average.state, average_steps=average.steps, step=step, seen=seen, seconds=seconds + time.monotonic() - began))

    loader = batches(config.stage, USUAL)
    while True:
        side, pictures, points, codes, targets, centres = next(loader)
        left = None if args.minutes is None else args.minutes * 60 - (time.monotonic() - began)
        speed, share = rate(step, seen, left, args.cooldown * 60), falling(left, args.cooldown * 60)
        points, codes, targets, centres = (t.to(device, non_blocking=True) for t in (points, codes, targets, centres))
        criterion.label_map = share is not None
        outputs = model.features(prepare(pictures))
        total, parts = criterion(outputs, points, codes, targets, centres, side, model.sem_seg_head.pixel_decoder.mask_features)
        gradient.zero_()
        total.backward()
        # The processes agree on gradients, rate, settling and stopping in one exchange.
        ending = float(stop.exists() or (left is not None and left <= 0))
        settling = float(share is not None and share < SETTLE)
        if world > 1:
            extra[0], extra[1], extra[2] = ending, speed, settling
            dist.all_reduce(flat)
            flat /= world
            ending, speed, settling = extra.tolist()
            if step % SYNC_EVERY == 0:
                for p in parameters:
                    dist.broadcast(p.data, 0)
        for g in adam.param_groups + muon.param_groups:
            g["lr"] = speed
        norm = float(gradient.norm())
        if math.isfinite(norm):
            gradient *= min(1.0, config.CLIP / (norm + 1e-6))
            adam.step()
            muon.step()
            average.update(model, share is not None)
        step += 1
        steps += 1
        seen += len(pictures) * world
        shown += len(pictures) * world
        for k, v in dict(parts, norm=norm).items():
            told[k] = told.get(k, 0.0) + v
        now = time.monotonic()
        if rank == 0 and step % LOG_EVERY == 0:
            line = " ".join(f"{k} {v / steps:.3f}" for k, v in told.items())
            print(f"{(seconds + now - began) / 60:.1f} min step {step} seen {seen} side {side} {line} {shown / (now - logged):.1f}/s", flush=True)
            told, shown, steps, logged = {}, 0, 0, now
        if rank == 0 and (now - saved > SAVE_EVERY or ending):
            keep()
            saved = time.monotonic()
        if ending:
            break
        if settling and not settled:
            in_use = batches(config.settled, LAST._replace(blank=0.0))
            freeze(model, (prepare(next(in_use)[1]) for _ in range(PRECISE)), world)
            loader = batches(config.settled, LAST)
            settled = True
    if world > 1:
        dist.barrier()
        dist.destroy_process_group()


def main():
    """Starts the processes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cache", type=Path, default=HERE / "cache")
    parser.add_argument("--runs", type=Path, default=HERE / "runs")
    parser.add_argument("--fresh", action="store_true", help="do not go on from resume.pt")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--processes", type=int, default=2, help="CPU processes of one thread")
    parser.add_argument("--workers", type=int, default=0, help="loader processes (on a GPU: most of the cores)")
    parser.add_argument("--batch", type=int, help="pictures a step and process, instead of the stage's")
    parser.add_argument("--minutes", type=float, help="end after so long, with a falling rate at the end")
    parser.add_argument("--cooldown", type=float, default=20.0, help="minutes of falling rate before --minutes are over")
    parser.add_argument("--port", type=int, default=29511)
    args = parser.parse_args()
    args.runs.mkdir(parents=True, exist_ok=True)
    (args.runs / "stop").unlink(missing_ok=True)
    if torch.cuda.is_available() or args.processes == 1:
        run(0, 1, args)
    else:
        mp.spawn(run, (args.processes, args), args.processes)


if __name__ == "__main__":
    main()
