# SPDX-License-Identifier: Apache-2.0
"""Batch or group norm, a sum and a ReLU in one: a C kernel while training on a CPU."""
import ctypes
from pathlib import Path

import torch
import torch.nn as nn
import torch.nn.functional as F

from native import load

_library = None


def _call(name, numbers, eps, relu, tensors):
    global _library
    if _library is None:
        _library = load(Path(__file__).with_name("norm.c"))
    extra = () if eps is None else (ctypes.c_float(eps), ctypes.c_int(relu))
    pointers = (ctypes.c_void_p(None if t is None else t.data_ptr()) for t in tensors)
    getattr(_library, name)(*(ctypes.c_int(n) for n in numbers), *extra, *pointers)


class _Norm(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, weight, bias, plus, parts, share, eps, relu, given=None):
        x = x.detach().contiguous(memory_format=torch.channels_last)
        plus = None if plus is None else plus.detach().contiguous(memory_format=torch.channels_last)
        channels = x.shape[1]
        ctx.numbers = (parts, x.numel() // channels // parts, channels, share)
        mean, inverse = given or (x.new_empty(parts, channels), x.new_empty(parts, channels))
        out = torch.empty_like(x)
        _call("forward", ctx.numbers, eps, relu, (x, weight, bias, plus, out, mean, inverse))
        ctx.added, ctx.relu = plus is not None, relu
        ctx.save_for_backward(x, weight.detach(), mean, inverse, out if relu else None)
        ctx.mark_non_differentiable(mean, inverse)
        return out, mean, inverse

    @staticmethod
    def backward(ctx, gradient, *_):
        x, weight = ctx.saved_tensors[:2]
        gradient = gradient.contiguous(memory_format=torch.channels_last)
        gx, gweight, gbias = torch.empty_like(x), torch.empty_like(weight), torch.empty_like(weight)
        gplus = torch.empty_like(x) if ctx.added else None
        _call("backward", ctx.numbers, None, None, (*ctx.saved_tensors, gradient, gx, gplus, gweight, gbias))
        return gx, gweight, gbias, gplus, None, None, None, None, None


def normalise(norm, x, plus=None, relu=False):
    """relu(norm(x) + plus) for an nn.BatchNorm2d or nn.GroupNorm; x, plus [B, C, H, W]."""
    if x.device.type != "cpu" or not torch.is_grad_enabled() or x.dtype != torch.float32:
        y = norm(x) if plus is None else norm(x) + plus
        return F.relu(y) if relu else y
    if isinstance(norm, nn.GroupNorm):
        return _Norm.apply(x, norm.weight, norm.bias, plus, len(x), norm.num_channels // norm.num_groups, norm.eps, relu)[0]
    if not norm.training:
        given = norm.running_mean[None], (norm.running_var[None] + norm.eps).rsqrt()
        return _Norm.apply(x, norm.weight, norm.bias, plus, 1, 0, norm.eps, relu, given)[0]
    out, mean, inverse = _Norm.apply(x, norm.weight, norm.bias, plus, 1, 1, norm.eps, relu)
    with torch.no_grad():
        count = x.numel() // x.shape[1]
        norm.running_mean.lerp_(mean[0], norm.momentum)
        norm.running_var.lerp_((inverse[0] ** -2 - norm.eps) * (count / max(count - 1, 1)), norm.momentum)
        norm.num_batches_tracked += 1
    return out
