# SPDX-License-Identifier: Apache-2.0
"""Sampling of deformable attention: a C kernel on the CPU, grid sampling elsewhere."""
import ctypes
from pathlib import Path

import torch
import torch.nn.functional as F

from native import load

_library = None


def _call(name, sizes, tensors, levels):
    global _library
    if _library is None:
        _library = load(Path(__file__).with_name("sample.c"))
    wide, high, start = ((ctypes.c_int * len(levels))(*column) for column in zip(*levels))
    pointers = [ctypes.c_void_p(t.data_ptr()) for t in tensors]
    getattr(_library, name)(*(ctypes.c_int(s) for s in sizes), *pointers[:4], wide, high, start, *pointers[4:])


class _Sample(torch.autograd.Function):
    @staticmethod
    def forward(ctx, value, place, offsets, logits, levels):
        value, place, offsets, logits = (t.detach().float().contiguous() for t in (value, place, offsets, logits))
        ctx.levels = levels
        ctx.sizes = (*value.shape, *offsets.shape[-3:-1])
        out, weight = torch.empty_like(value), torch.empty_like(logits)
        _call("forward", ctx.sizes, (value, place, offsets, logits, out, weight), levels)
        ctx.save_for_backward(value, place, offsets, weight)
        return out

    @staticmethod
    def backward(ctx, gradient):
        saved = ctx.saved_tensors
        gvalue, _, goffsets, glogits = grads = [None if i == 1 else torch.empty_like(t) for i, t in enumerate(saved)]
        _call("backward", ctx.sizes, (*saved, gradient.contiguous(), gvalue, goffsets, glogits), ctx.levels)
        return (*grads, None)


def sample(value, place, offsets, logits, levels):
    """Weighted sum of bilinear samples.

    value [B, N, heads, depth]; place [N, levels, 2] (x, y) of the cells in cells of each level;
    offsets [B, N, heads, levels, points, 2] from there; logits [B, N, heads, levels * points] of
    the weights; levels: (width, height, first cell) of each level. Outside a level everything is 0.
    """
    if value.device.type == "cpu":
        return _Sample.apply(value, place, offsets, logits, levels)
    batch, count, heads, depth = value.shape
    weight = logits.softmax(-1).unflatten(-1, offsets.shape[-3:-1])
    spots = place[None, :, None, :, None] + offsets
    out = 0
    for i, (wide, high, start) in enumerate(levels):
        cells = value[:, start:start + wide * high].permute(0, 2, 3, 1).reshape(batch * heads, depth, high, wide)
        grid = (spots[..., i, :, :] + 0.5) * (2 / spots.new_tensor([wide, high])) - 1
        grid = grid.transpose(1, 2).reshape(batch * heads, count, -1, 2)
        taken = F.grid_sample(cells, grid.to(cells.dtype), align_corners=False)
        share = weight[..., i, :].transpose(1, 2).reshape(batch * heads, 1, count, -1)
        out = out + (taken * share).sum(-1)
    return out.view(batch, heads, depth, count).permute(0, 3, 1, 2)
