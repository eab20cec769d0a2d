# SPDX-License-Identifier: Apache-2.0
"""Surfaces swept along a path, balls, boxes: every mesh of the scenes is one of them."""
import numpy as np

_grids = {}


def unit(v):
    """v scaled to length one (last axis)."""
    v = np.asarray(v, np.float64)
    return v / (np.linalg.norm(v, axis=-1, keepdims=True) + 1e-12)


def across(v, axis):
    """The part of v perpendicular to axis, as a unit vector."""
    axis = unit(axis)
    v = np.asarray(v, np.float64)
    return unit(v - (v * axis).sum(-1, keepdims=True) * axis)


def turn(axis, angle):
    """Rotation matrix about an axis."""
    x, y, z = unit(axis)
    c, s = np.cos(angle), np.sin(angle)
    k = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    return np.eye(3) * c + s * k + (1 - c) * np.outer([x, y, z], [x, y, z])


def path(points, count, rounding):
    """Samples a polyline evenly, its corners rounded over about `rounding` metres."""
    points = np.asarray(points, np.float64)
    steps = np.linalg.norm(np.diff(points, axis=0), axis=1)
    knots = np.concatenate([[0], np.cumsum(steps)])
    dense = np.linspace(0, knots[-1], 97)
    line = np.stack([np.interp(dense, knots, points[:, i]) for i in range(3)], 1)
    reach = int(min(24, round(rounding / max(knots[-1], 1e-6) * 96)))
    if reach > 0:
        kernel = np.hanning(2 * reach + 3)[1:-1]
        kernel /= kernel.sum()
        # Mirrored ends keep the end points where they are.
        before = 2 * line[:1] - line[reach:0:-1]
        after = 2 * line[-1:] - line[-2:-reach - 2:-1]
        padded = np.concatenate([before, line, after])
        line = np.stack([np.convolve(padded[:, i], kernel, "valid") for i in range(3)], 1)
    at = np.linspace(0, knots[-1], count)
    return np.stack([np.interp(at, dense, line[:, i]) for i in range(3)], 1), at


def frames(centre, reference):
    """Unit X and Z across a path, X starting near `reference`, without twist."""
    tangent = unit(np.gradient(centre, axis=0))
    x = np.empty_like(centre)
    last = across(reference, tangent[0])
    for i, t in enumerate(tangent):
        last = last - (last @ t) * t
        last = last / (np.sqrt(last @ last) + 1e-12)
        x[i] = last
    return x, np.cross(x, tangent)


def grid_triangles(rows, columns):
    """Triangles of a rows x columns grid of vertices."""
    key = (rows, columns)
    if key not in _grids:
        a = (np.arange(rows - 1)[:, None] * columns + np.arange(columns - 1)[None]).reshape(-1)
        _grids[key] = np.stack([np.stack([a, a + 1, a + columns], 1),
                                np.stack([a + 1, a + columns + 1, a + columns], 1)], 1).reshape(-1, 3).astype(np.int32)
    return _grids[key]


def grid_mesh(points, texture, clip=None, closed=True):
    """Vertices (with normals) and triangles of a grid of points [rows, columns, 3].

    closed: the last column repeats the first one, normals continue over the seam.
    """
    rows, columns = points.shape[:2]
    along = np.gradient(points, axis=0)
    if closed:
        ring = points[:, :-1]
        around = np.roll(ring, -1, 1) - np.roll(ring, 1, 1)
        around = np.concatenate([around, around[:, :1]], 1)
    else:
        around = np.gradient(points, axis=1)
    normal = unit(np.cross(along, around))
    # Where a row shrinks to a point there is no normal: take the neighbour's.
    for row, other in ((0, 1), (-1, -2)):
        if np.linalg.norm(points[row, 0] - points[row, columns // 2]) < 1e-5:
            normal[row] = unit(points[row] - points[other].mean(0))
    out = np.empty((rows, columns, 10))
    out[..., 0:3] = points
    out[..., 3:6] = normal
    out[..., 6:9] = texture
    out[..., 9] = 1.0 if clip is None else clip
    return out.reshape(-1, 10), grid_triangles(rows, columns)


class Tube:
    """A path with a frame and elliptic cross-sections that skins and garments share."""

    def __init__(self, centre, along, x, z, half_x, half_z, square=2.0):
        self.centre, self.along, self.x, self.z = centre, along, x, z
        self.half_x, self.half_z = np.asarray(half_x, np.float64), np.asarray(half_z, np.float64)
        self.square = square
        self.bumps = []

    @property
    def length(self):
        """Length of the path in metres."""
        return self.along[-1]

    def at(self, s):
        """Point, x axis, z axis at distance s along the path."""
        pick = lambda a: np.array([np.interp(s, self.along, a[:, i]) for i in range(3)])
        return pick(self.centre), unit(pick(self.x)), unit(pick(self.z))

    def surface(self, start, end, rows, columns, grow=0.0, folds=None, clip=None, taper=(False, False), middle=0.16, hang=0.0):
        """Mesh of the surface between two distances along the path.

        grow: metres outwards, a number or a function of 0..1 between start and end.
        folds: (amplitude, waves around, waves a metre, phases [3, 2]) of cloth.
        clip: function of angle and distance (grids), negative where the cloth is cut away.
        taper: whether the first and last ring close to a point.
        hang: before this distance cloth falls straight instead of following the body in.
        """
        t = np.linspace(0, 1, rows)
        s = start + (end - start) * t
        # Rings beyond the path's ends go straight on.
        inner = np.clip(s, self.along[0], self.along[-1])
        pick = lambda a: np.stack([np.interp(inner, self.along, a[:, i]) for i in range(3)], 1)
        centre, x, z = pick(self.centre), pick(self.x), pick(self.z)
        over = s - inner
        if np.any(over != 0):
            head = unit(self.centre[-1] - self.centre[-2])
            tail = unit(self.centre[1] - self.centre[0])
            centre = centre + np.where(over > 0, over, 0)[:, None] * head + np.where(over < 0, over, 0)[:, None] * tail
        g = np.broadcast_to(grow(t) if callable(grow) else grow, (rows,))
        a = np.interp(np.maximum(inner, hang), self.along, self.half_x) + g
        b = np.interp(np.maximum(inner, hang), self.along, self.half_z) + g
        # The seam (first column) lies at the back.
        theta = np.linspace(-np.pi / 2, 1.5 * np.pi, columns + 1)
        c, n = np.cos(theta), np.sin(theta)
        if self.square != 2.0:
            k = (np.abs(c) ** self.square + np.abs(n) ** self.square) ** (-1 / self.square)
            c, n = c * k, n * k
        extra = np.zeros((rows, columns + 1))
        for angle, where, wide, tall, height in self.bumps:
            d = np.angle(np.exp(1j * (theta - angle)))
            extra += height * np.exp(-(d / wide) ** 2)[None] * np.exp(-((s - where) / tall) ** 2)[:, None]
        if folds is not None:
            amount, around, per_metre, phase = folds
            for i, (p, q) in enumerate(phase):
                waves = round(around * (1 + 0.6 * i))
                extra += amount / (1 + 0.7 * i) * np.sin(
                    waves * theta[None] + per_metre * (1 + 0.8 * i) * (s[:, None] + 0.02 * np.sin(3 * theta + q)[None]) + p)
        ring_x = a[:, None] * c[None] + extra * np.cos(theta)[None]
        ring_z = b[:, None] * n[None] + extra * np.sin(theta)[None]
        if taper[0]:
            ring_x[0], ring_z[0] = 0, 0
        if taper[1]:
            ring_x[-1], ring_z[-1] = 0, 0
        points = centre[:, None] + x[:, None] * ring_x[..., None] + z[:, None] * ring_z[..., None]
        texture = np.empty((rows, columns + 1, 3))
        texture[..., 0] = (theta - np.pi / 2)[None] * middle
        texture[..., 1] = s[:, None]
        texture[..., 2] = np.sin(theta)[None] * 0.1
        mask = None if clip is None else clip(theta[None] + 0 * s[:, None], s[:, None] + 0 * theta[None])
        return grid_mesh(points, texture, mask)


def ball(centre, axes, rows=10, columns=14, clip=None, texture=1.0):
    """An ellipsoid; axes: three vectors, their lengths the radii. axes[1] is the pole."""
    lat = np.linspace(-np.pi / 2, np.pi / 2, rows)
    lon = np.linspace(-np.pi / 2, 1.5 * np.pi, columns + 1)
    local = np.stack([np.cos(lat)[:, None] * np.cos(lon)[None],
                      np.sin(lat)[:, None] + 0 * lon[None],
                      np.cos(lat)[:, None] * np.sin(lon)[None]], -1)
    points = np.asarray(centre) + local @ np.asarray(axes, np.float64)
    mask = None if clip is None else clip(local)
    return grid_mesh(points, local * texture, mask)


def box(centre, axes):
    """A box; axes: three half edges."""
    centre, axes = np.asarray(centre, np.float64), np.asarray(axes, np.float64)
    vertices, triangles = [], []
    for i in range(3):
        for sign in (-1, 1):
            u, v = axes[(i + 1) % 3], axes[(i + 2) % 3]
            lu, lv = np.linalg.norm(u), np.linalg.norm(v)
            base = len(vertices)
            for p, q in ((-1, -1), (1, -1), (-1, 1), (1, 1)):
                vertices.append([*(centre + sign * axes[i] + p * u + q * v), *unit(sign * axes[i]), p * lu, q * lv, i * 0.3, 1.0])
            triangles += [[base, base + 1, base + 2], [base + 1, base + 3, base + 2]]
    return np.array(vertices), np.array(triangles, np.int32)


def sheet(corner, u, v, rows=2, columns=2, texture=1.0):
    """A flat rectangle."""
    p = np.linspace(0, 1, columns)[None, :, None]
    q = np.linspace(0, 1, rows)[:, None, None]
    points = np.asarray(corner) + p * np.asarray(u) + q * np.asarray(v)
    uv = np.zeros(points.shape)
    uv[..., 0] = p[..., 0] * np.linalg.norm(u) * texture
    uv[..., 1] = q[..., 0] * np.linalg.norm(v) * texture
    return grid_mesh(points, uv, closed=False)


def rod(points, radius, rows=10, columns=8, rounding=0.05):
    """A round rod along points; radius: a number or a list of values along it."""
    centre, along = path(points, rows, rounding)
    reference = np.array([1.0, 0.1, 0.2])
    x, z = frames(centre, reference)
    r = np.interp(np.linspace(0, 1, rows), np.linspace(0, 1, len(np.atleast_1d(radius))), np.atleast_1d(radius))
    return Tube(centre, along, x, z, r, r).surface(0, along[-1], rows, columns, taper=(True, True), middle=float(r.mean()))
