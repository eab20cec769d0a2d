# SPDX-License-Identifier: Apache-2.0
"""Muon: momentum made orthogonal, for the matrices and convolutions between input and outputs.

After K. Jordan et al., "Muon: an optimizer for hidden layers" (2024). The step has the size of
AdamW's (0.2 * sqrt(longer side), J. Liu et al., "Muon is scalable for LLM training", 2025), so
that one learning rate and one weight decay do for both.
"""
import torch
import torch.distributed as dist

# Learnt like embeddings and output layers elsewhere: by AdamW.
OTHERS = ("stem.conv1.", "sampling_offsets.", "attention_weights.", "class_embed.", "query_", "level_embed", "dense.")


def suits(name, p):
    """Whether a parameter is one for Muon."""
    return p.ndim >= 2 and not any(part in name for part in OTHERS)


def orthogonal(x, steps=5):
    """Matrices [n, rows, columns] with singular values near 1: a quintic Newton-Schulz iteration.

    The polynomial is gathered for the small Gram matrix and applied once: half the work.
    """
    x = x / (x.norm(dim=(1, 2), keepdim=True) + 1e-7)
    high = x.shape[1] > x.shape[2]
    x = x.mT if high else x
    gram, product = x @ x.mT, None
    one = 3.4445 * torch.eye(x.shape[1], device=x.device)
    for i in range(steps):
        factor = torch.baddbmm(gram, gram, gram, beta=-4.7750, alpha=2.0315) + one
        product = factor if product is None else factor @ product
        if i < steps - 1:
            gram = factor @ (gram @ factor)
    x = product @ x
    return x.mT if high else x


def matrices(p):
    """A weight as [n, rows, columns], a view; attention's packed projections are three matrices."""
    if p.ndim == 4:
        return p.permute(0, 2, 3, 1).flatten(1)[None]
    return p.view(3 if p.shape[0] == 3 * p.shape[1] else 1, -1, p.shape[1])


def weight(x, like):
    """The inverse of matrices() for flat numbers."""
    if like.ndim == 4:
        return x.view(like.permute(0, 2, 3, 1).shape).permute(0, 3, 1, 2)
    return x.view(like.shape)


class Muon(torch.optim.Optimizer):
    """Every process has all momenta and makes its share of the matrices orthogonal."""

    def __init__(self, params, lr, momentum, weight_decay):
        super().__init__(params, dict(lr=lr, momentum=momentum, weight_decay=weight_decay))
        alike = {}
        for p in self.param_groups[0]["params"]:
            self.state[p]["momentum"] = torch.zeros_like(p)
            alike.setdefault(matrices(p).shape[1:], []).append(p)
        # Matrices of one shape go together; the costly shapes are dealt out first.
        cost = {shape: sum(p.numel() for p in some) * min(shape) for shape, some in alike.items()}
        rank, world = (dist.get_rank(), dist.get_world_size()) if dist.is_initialized() else (0, 1)
        burden, self.work, self.shared = [0] * world, [], world > 1
        for shape in sorted(alike, key=cost.get, reverse=True):
            owner = burden.index(min(burden))
            burden[owner] += cost[shape]
            self.work.append((owner == rank, shape, alike[shape]))

    @torch.no_grad()
    def step(self):
        """Goes on along the gradients in .grad."""
        group = self.param_groups[0]
        params = [p for _, _, some in self.work for p in some]
        torch._foreach_lerp_([self.state[p]["momentum"] for p in params], [p.grad for p in params], 1 - group["momentum"])
        flat = torch.zeros(sum(p.numel() for p in params), device=params[0].device)
        at = 0
        for own, shape, some in self.work:
            if own:
                ahead = torch.cat([matrices(p.grad.lerp(self.state[p]["momentum"], group["momentum"])) for p in some])
                torch.mul(orthogonal(ahead), 0.2 * max(shape) ** 0.5, out=flat[at:at + ahead.numel()].view(ahead.shape))
            at += sum(p.numel() for p in some)
        if self.shared:
            dist.all_reduce(flat)
        updates = [weight(x, p) for x, p in zip(flat.split([p.numel() for p in params]), params)]
        torch._foreach_mul_(params, 1 - group["lr"] * group["weight_decay"])
        torch._foreach_add_(params, updates, alpha=-group["lr"])
