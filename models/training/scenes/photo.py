# SPDX-License-Identifier: Apache-2.0
"""What a camera does to a picture: blur, exposure, colour, noise, compression."""
import io

import numpy as np
from PIL import Image, ImageFilter


def _blur(picture, radius):
    """Gaussian blur of a float picture [H, W, C]."""
    layers = [np.asarray(Image.fromarray(np.ascontiguousarray(picture[..., i], np.float32)).resize(picture.shape[1::-1]))
              for i in range(picture.shape[2])]
    size = int(max(1, round(radius * 2.5)))
    kernel = np.exp(-0.5 * (np.arange(-size, size + 1) / radius) ** 2)
    kernel /= kernel.sum()
    out = np.stack(layers, -1)
    for axis in (0, 1):
        padded = np.pad(out, [(size, size) if a == axis else (0, 0) for a in range(3)], "edge")
        acc = np.zeros_like(out)
        n = out.shape[axis]
        for i, k in enumerate(kernel):
            acc += k * (padded[i:i + n] if axis == 0 else padded[:, i:i + n])
        out = acc
    return out


def _streak(picture, length, angle):
    """Motion blur along a line."""
    acc = np.zeros_like(picture)
    steps = max(2, int(length))
    for t in np.linspace(-0.5, 0.5, steps):
        dx, dy = int(round(t * length * np.cos(angle))), int(round(t * length * np.sin(angle)))
        acc += np.roll(picture, (dy, dx), (0, 1))
    return acc / steps


def develop(rng, linear, person):
    """A linear picture to the 8-bit one a camera would have made."""
    x = linear
    size = x.shape[0]
    if rng.random() < 0.35:  # shallow depth of field: the surroundings blur, people stay sharp
        away = (person == 0).astype(np.float32)[..., None]
        radius = rng.uniform(0.8, 5.0) * size / 320
        soft = _blur(np.concatenate([x * away, away], -1), radius)
        edge = _blur(away, 0.7)
        x = x * (1 - edge) + edge * soft[..., :3] / (soft[..., 3:] + 1e-3)
    if rng.random() < 0.10:
        x = _streak(x, rng.uniform(2, 7) * size / 320, rng.uniform(0, np.pi))
    if rng.random() < 0.25:
        x = _blur(x, rng.uniform(0.4, 1.4) * size / 320)
    # Expose for a middle grey, now and then badly.
    level = np.exp(np.log(x.mean(-1) + 1e-2).mean())
    x = x * (0.20 / level) ** rng.uniform(0.35, 0.9) * np.exp(rng.normal(0, 0.28))
    x = x * np.exp(rng.normal(0, 0.07, 3))
    if rng.random() < 0.2:
        grid = np.linspace(-1, 1, size)
        x = x * (1 - rng.uniform(0.1, 0.5) * 0.5 * (grid[:, None] ** 2 + grid[None] ** 2))[..., None]
    x = x / (1 + np.clip(x - 0.7, 0, None) * 0.8)
    x = np.clip(x, 0, 1) ** (1 / 2.2)
    x = (x - 0.5) * rng.normal(1.02, 0.12) + 0.5 + rng.normal(0, 0.03)
    grey = x.mean(-1, keepdims=True)
    colour = rng.choice([rng.normal(1.0, 0.2), 0.0], p=[0.95, 0.05])
    x = grey + (x - grey) * colour
    if rng.random() < 0.75:
        grain = rng.normal(0, 1, x.shape if rng.random() < 0.6 else x.shape[:2] + (1,))
        x = x + grain * rng.choice([rng.uniform(0, 0.015), rng.uniform(0.01, 0.06)], p=[0.7, 0.3])
    picture = Image.fromarray((np.clip(x, 0, 1) * 255 + 0.5).astype(np.uint8))
    if rng.random() < 0.12:
        small = int(size * rng.uniform(0.4, 0.8))
        picture = picture.resize((small, small), Image.BILINEAR).resize((size, size), Image.BICUBIC)
    if rng.random() < 0.12:
        picture = picture.filter(ImageFilter.UnsharpMask(1.5, int(rng.uniform(60, 180)), 2))
    if rng.random() < 0.35:
        buffer = io.BytesIO()
        picture.save(buffer, "JPEG", quality=int(rng.uniform(25, 85)))
        picture = Image.open(buffer).convert("RGB")
    return np.asarray(picture)
