# SPDX-License-Identifier: Apache-2.0
"""One dressed person: chooses an outfit and draws body and garments as meshes."""
import numpy as np

from . import head as H
from . import labels as L
from . import materials as M
from .body import SIDES, Body, Pose, Shape
from .geometry import Tube, across, ball, box, grid_mesh, path, rod, unit


class Outfit:
    """What a person wears. Rare, thin classes are drawn more often than in life."""

    def __init__(self, rng, shape):
        female = not shape.male
        self.top = rng.choice(["shirt", "tank", "dress", "none"], p=[0.72, 0.06, 0.22, 0.0] if female else [0.88, 0.07, 0.015, 0.035])
        self.dress = self.top == "dress"
        self.sleeve = rng.choice([0.0, rng.uniform(0.25, 0.5), rng.uniform(0.5, 0.85), 1.0], p=[0.12, 0.36, 0.10, 0.42])
        if self.top == "tank":
            self.sleeve = 0.0
        self.coat = self.top != "none" and rng.random() < 0.30
        self.coat_open = rng.random() < 0.6
        self.coat_length = rng.choice([rng.uniform(-0.02, 0.06), rng.uniform(0.1, 0.3), rng.uniform(0.3, 0.62)], p=[0.55, 0.25, 0.20])
        self.lower = "none" if self.dress else rng.choice(["pants", "shorts", "skirt"], p=[0.62, 0.15, 0.23] if female else [0.79, 0.20, 0.01])
        if self.dress and rng.random() < 0.12:
            self.lower = "pants"  # leggings under a dress
        self.lower_length = {"pants": rng.choice([1.02, rng.uniform(0.82, 1.0)], p=[0.75, 0.25]), "shorts": rng.uniform(0.22, 0.58)}.get(self.lower, 0.0)
        self.hem = rng.choice([rng.uniform(0.12, 0.22), rng.uniform(0.22, 0.34), rng.uniform(0.34, 0.47)], p=[0.3, 0.45, 0.25])
        self.flare = rng.choice([rng.uniform(0.0, 0.04), rng.uniform(0.04, 0.14)])
        self.shoes = rng.random() < 0.93
        self.boots = self.shoes and rng.random() < 0.13
        self.socks = rng.random() < (0.45 if self.lower_length < 0.8 or self.lower == "skirt" else 0.15)
        self.sock_height = rng.choice([rng.uniform(0.12, 0.3), rng.uniform(0.3, 0.75), rng.uniform(0.75, 1.35)], p=[0.4, 0.35, 0.25])
        self.gloves = rng.random() < 0.11
        self.scarf = rng.random() < 0.12
        self.hat = rng.random() < 0.26
        self.glasses = rng.random() < 0.20
        self.neck = rng.choice(["round", "deep", "high", "shirt"], p=[0.5, 0.2, 0.12, 0.18])
        self.tucked = rng.random() < 0.3
        self.loose = rng.uniform(0.004, 0.022)
        self.bag = rng.choice(["none", "back", "shoulder", "hand"], p=[0.82, 0.07, 0.06, 0.05])
        self.holds = rng.choice(["none", "phone", "cup", "ball", "box", "stick", "bottle", "umbrella"], p=[0.76, 0.06, 0.04, 0.03, 0.04, 0.02, 0.03, 0.02])


def _folds(rng, amount, around, per_metre):
    return (amount, around, per_metre, rng.uniform(0, 6.28, (3, 2)))


class Person:
    """A person ready to be placed: draw() adds its meshes to a stage."""

    def __init__(self, rng, pose=None, outfit=None):
        self.rng = rng
        self.shape = Shape(rng)
        self.pose = Pose(rng, self.shape, pose)
        self.outfit = Outfit(rng, self.shape)
        if outfit:
            for name, value in outfit.items():
                setattr(self.outfit, name, value)
        self.tone = self._tone(rng)

    @staticmethod
    def _tone(rng):
        at = rng.uniform(0, len(M.SKIN_TONES) - 1)
        low = int(at)
        tone = M.SKIN_TONES[low] * (1 - at + low) + M.SKIN_TONES[min(low + 1, len(M.SKIN_TONES) - 1)] * (at - low)
        return np.clip(tone * rng.uniform(0.85, 1.15) * (1 + rng.normal(0, 0.04, 3)), 0.01, 0.95)

    def draw(self, stage, number, place, detail):
        """Draws the person; place = (rotation 3x3, translation); detail 0 (far) .. 2 (near)."""
        first = len(stage.vertices)
        rng, outfit = self.rng, self.outfit
        self.stage, self.number, self.detail = stage, number, detail
        body = self.body = Body(self.shape, self.pose)
        self.skin = stage.material(M.skin(rng, self.tone))
        dark = self.tone[0] < 0.3
        pick = rng.integers(0, 3) if dark and rng.random() < 0.85 else rng.integers(0, len(M.HAIR_COLOURS) - 2)
        if self.shape.age == "old" and rng.random() < 0.7:
            pick = rng.integers(7, 9)
        colour = M.HAIR_COLOURS[pick] * rng.uniform(0.75, 1.3)
        if rng.random() < 0.02:
            colour = M.linear(rng.random(), 0.8, 0.7)
        hair = stage.material(M.hair(rng, colour))
        age = {"old": rng.uniform(0.6, 1.0), "adult": rng.uniform(0, 0.4)}.get(self.shape.age, 0.0)
        head = H.Head(body, rng)
        face = stage.material(M.face(rng, self.tone, colour, age, self.shape.male, self.shape.child))
        H.draw_face(stage, head, number, self.skin, face, detail)
        style = H.hair_style(rng, self.shape)
        if outfit.hat:
            H.draw_hat(stage, head, number, rng, detail)
        H.draw_hair(stage, head, number, hair, style, detail, outfit.hat)
        if outfit.glasses and detail > 0.15:
            H.draw_glasses(stage, head, number, rng, detail)
        self.rows = (lambda n: max(5, int(n * (1.0 if detail > 0.4 else 0.6))))
        self.columns = 26 if detail > 0.4 else 14
        self.grip = {}  # where each hand holds things: point, direction, back, thumb
        self._trunk()
        self._legs()
        for side, k in SIDES:
            self._arm(side, k)
            self._hand(side, k)
        self._extras(head)
        rotation, shift = place
        for i in range(first, len(stage.vertices)):
            v = stage.vertices[i]
            v[:, 0:3] = v[:, 0:3] @ rotation.T + shift
            v[:, 3:6] = v[:, 3:6] @ rotation.T

    def _add(self, mesh, material, label):
        self.stage.add(*mesh, material, label, self.number)

    def _trunk(self):
        """Bare torso and neck, shirt or dress, coat, scarf."""
        rng, o, t, h, k = self.rng, self.outfit, self.body.torso, self.shape.h, self.body.unit
        base = 0.383 * k  # base of the neck along the torso
        neck_bottom = 0.0 if o.top == "none" else 0.25 * k
        self._add(t.surface(neck_bottom, t.length, self.rows(26), self.columns), self.skin, L.TORSO)
        kind = rng.choice(["shirt", "plain", "any"])
        if o.top != "none":
            label = L.DRESS if o.dress else L.UPPER
            cloth = M.cloth(rng, kind)
            if rng.random() < 0.15:
                cloth[13], cloth[14] = 0.9, 120  # knitted
            self.top_material = self.stage.material(cloth)
            depth = {"round": 0.012, "deep": rng.uniform(0.05, 0.085), "high": -0.03, "shirt": 0.03}[o.neck] * k
            width = {"round": 1.2, "deep": 0.75, "high": 9.0, "shirt": 0.45}[o.neck]
            strap = o.top == "tank" or (o.dress and o.sleeve == 0 and rng.random() < 0.6)
            slope = 0.02 * k if strap else 0.0

            def clip(theta, s):
                front = np.angle(np.exp(1j * (theta - np.pi / 2)))
                edge = base - 0.004 * h - depth * np.exp(-(front / width) ** 2)
                cut = edge - s
                if strap:  # arm holes
                    side = np.minimum(np.abs(front), np.abs(np.abs(front) - np.pi))
                    cut = np.minimum(cut, 0.33 * k + slope - s + 0.12 * k * np.clip(1.05 - side, -0.3, 0.6))
                return cut * 20

            grow = o.loose
            top = t.length if o.neck == "high" else base + 0.02 * h
            hem = -0.02 * k if not o.dress and not o.tucked else 0.10 * k
            if not o.dress and not o.tucked and rng.random() < 0.25:
                hem = rng.uniform(0.06, 0.12) * k
            bell = rng.uniform(0.004, 0.016)
            self._add(t.surface(hem, top, self.rows(32), self.columns + 6, grow=lambda q: grow + bell * (1 - q) ** 2 - 0.004 * (q > 0.93),
                                folds=_folds(rng, rng.uniform(0.001, 0.005) * (0.5 + grow * 60), 6, rng.uniform(4, 22)), clip=clip,
                                hang=0.0 if o.dress or o.tucked else 0.068 * k),
                      self.top_material, label)
            if o.neck == "shirt" and self.detail > 0.3:
                self._collar(base, self.top_material, label, grow)
        if o.dress or o.lower == "skirt":
            material = self.top_material if o.dress else self.stage.material(M.cloth(rng))
            self._skirt(material, *((L.DRESS, L.DRESS_LOW) if o.dress else (L.SKIRT, L.SKIRT)))
        if o.coat:
            self._coat(base)
        if o.scarf:
            self._scarf(base)

    def _collar(self, base, material, label, grow):
        t, h = self.body.torso, self.shape.h

        def clip(theta, s):
            front = np.abs(np.angle(np.exp(1j * (theta - np.pi / 2))))
            return (front - 0.35 - (s - base + 0.01 * h) * 6) * 2

        self._add(t.surface(base - 0.012 * h, base + 0.022 * h, 5, self.columns, grow=lambda q: grow + 0.006 + 0.004 * (1 - q), clip=clip), material, label)

    def _skirt(self, material, label, low, start=0.165, hem=None, flare=None, grow=None, clip=None):
        """Cloth around both legs from the waist to the hem; low: its label below the hips."""
        rng, o, t, h, k = self.rng, self.outfit, self.body.torso, self.shape.h, self.body.unit
        hem = o.hem * h if hem is None else hem
        flare = o.flare if flare is None else flare
        grow = o.loose + (0.0 if o.dress else 0.006) if grow is None else grow
        left, right = self.body.legs["l"], self.body.legs["r"]
        rows, columns = self.rows(26), self.columns + 8
        theta = np.linspace(-np.pi / 2, 1.5 * np.pi, columns + 1)
        c, n = np.cos(theta), np.sin(theta)
        rings, lengths = [], []
        for s in np.linspace(start * k, 0.072 * k, 7):
            p, x, z = t.at(s)
            a, b = np.interp(s, t.along, t.half_x) + grow, np.interp(s, t.along, t.half_z) + grow
            extra = np.zeros_like(theta)
            for angle, where, wide, tall, height in t.bumps:
                extra += height * np.exp(-(np.angle(np.exp(1j * (theta - angle))) / wide) ** 2) * np.exp(-((s - where) / tall) ** 2)
            rings.append(p + x * ((a + extra) * c)[:, None] + z * ((b + extra) * n)[:, None])
            lengths.append(-s)
        hips = t.at(0.068 * k)
        _, x0, z0 = hips
        phase = rng.uniform(0, 6.28, 3)
        waves = rng.integers(5, 12)
        deep = rng.uniform(0.02, 0.12)
        start_leg = left.joints[0]
        hem = min(hem, left.length * 0.98 - start_leg)
        for d in np.linspace(0.02 * h, hem, rows - 7):
            q = d / max(hem, 1e-3)
            pl, _, _ = left.at(start_leg + d)
            pr, _, _ = right.at(start_leg + d)
            r = np.interp(start_leg + d, left.along, left.half_x) + grow + flare * q
            tangent = unit(0.5 * (left.at(start_leg + d + 0.01)[0] + right.at(start_leg + d + 0.01)[0]) - 0.5 * (pl + pr))
            x = across(x0, tangent)
            z = np.cross(tangent, x)
            z = -z if z @ z0 < 0 and abs(tangent[1]) > 0.5 else z
            e = x * c[:, None] + z * n[:, None]
            gap = pl - pr
            reach = r + 0.5 * np.abs(e @ gap)
            # The seat fills what the two legs leave open behind and in front.
            early = np.exp(-(d / (0.10 * h)) ** 2)
            reach = reach * (1 - early) + early * np.maximum(reach, np.sqrt((np.interp(0.05 * k, t.along, t.half_x) * c) ** 2 + ((np.interp(0.05 * k, t.along, t.half_z) + 0.012 * h) * n) ** 2) + grow)
            reach = reach * (1 + deep * q * np.sin(waves * theta + phase[0] + 0.7 * np.sin(3 * theta + phase[1])))
            rings.append(0.5 * (pl + pr) + e * reach[:, None])
            lengths.append(d)
        points = np.stack(rings)
        points[1:-1] = 0.25 * points[:-2] + 0.5 * points[1:-1] + 0.25 * points[2:]
        texture = np.empty(points.shape)
        texture[..., 0] = (theta - np.pi / 2)[None] * 0.16
        texture[..., 1] = -np.array(lengths)[:, None]
        texture[..., 2] = n[None] * 0.1
        mask = None if clip is None else np.broadcast_to(clip(theta), points.shape[:2])
        vertices, triangles = grid_mesh(points[::-1], texture[::-1], None if mask is None else mask[::-1])
        hanging = np.array(lengths)[::-1] > 0.07 * h
        under = hanging[triangles // len(theta)].all(1)
        self._add((vertices, triangles[~under]), material, label)
        if under.any():
            self._add((vertices.copy(), triangles[under]), material, low)  # draw() moves each mesh's own

    def _coat(self, base):
        """A jacket or coat over everything, open or closed."""
        rng, o, t, h, k = self.rng, self.outfit, self.body.torso, self.shape.h, self.body.unit
        cloth = M.cloth(rng, rng.choice(["plain", "leather", "denim", "any"], p=[0.55, 0.12, 0.13, 0.2]))
        cloth[13] = rng.uniform(0.1, 0.6)
        self.coat_material = self.stage.material(cloth)
        grow = o.loose + rng.uniform(0.010, 0.028)
        self.coat_grow = grow
        gap = rng.uniform(0.15, 0.75) if o.coat_open else 0.02
        lapel = rng.uniform(0.05, 0.16) * k

        def opening(theta, s):
            front = np.abs(np.angle(np.exp(1j * (theta - np.pi / 2))))
            wide = gap * (0.75 + 0.5 * np.clip((0.2 * k - s) / (0.2 * k), -0.3, 1))
            if not o.coat_open:
                wide = gap * 0
            wide = wide + 0.9 * np.clip((s - base + lapel) / lapel, 0, 1)
            return np.minimum(front - wide, (base + 0.012 * h - s) * 12)

        low = 0.02 * k - max(0.0, min(o.coat_length, 0.05)) * k
        self._add(t.surface(low, base + 0.02 * h, self.rows(30), self.columns + 6, grow=lambda q: grow + 0.020 * (1 - q) ** 2,
                            folds=_folds(rng, rng.uniform(0.001, 0.004), 5, rng.uniform(3, 14)), clip=opening, hang=0.068 * k),
                  self.coat_material, L.COAT)
        if o.coat_length > 0.06:
            self._skirt(self.coat_material, L.COAT, L.COAT_LOW, 0.10, o.coat_length * h, 0.05, grow + 0.012,
                        (lambda theta: np.abs(np.angle(np.exp(1j * (theta - np.pi / 2)))) - gap * 1.3) if o.coat_open else None)

        def collar(theta, s):
            front = np.abs(np.angle(np.exp(1j * (theta - np.pi / 2))))
            return (front - 0.55) * 2

        self._add(t.surface(base - 0.02 * h, base + rng.uniform(0.01, 0.03) * h, 5, self.columns, grow=lambda q: grow + 0.002 + 0.012 * (1 - q), clip=collar), self.coat_material, L.COAT)

    def _scarf(self, base):
        rng, t, h = self.rng, self.body.torso, self.shape.h
        material = self.stage.material(M.cloth(rng))
        fat = rng.uniform(0.014, 0.026) * h
        extra = self.outfit.loose + (self.coat_grow if self.outfit.coat else 0)
        for i in range(2):
            at = base + (0.012 + 0.016 * i) * h
            p, x, z = t.at(at)
            theta = np.linspace(0, 2 * np.pi, 25)
            a, b = np.interp(at, t.along, t.half_x) + fat * 0.9 + extra * 0.5, np.interp(at, t.along, t.half_z) + fat * 0.8 + extra * 0.5
            tilt = rng.normal(0, 0.012) * h
            up = np.cross(z, x)
            points = p + x * (a * np.cos(theta))[:, None] + z * (b * np.sin(theta))[:, None] + up * (tilt * np.sin(theta) - 0.006 * h * np.sin(theta))[:, None]
            ring_x = np.repeat(up[None], 25, 0)
            out = unit(points - p)
            along = np.linspace(0, 2 * np.pi * a, 25)
            tube = Tube(points, along, ring_x, out, np.full(25, fat), np.full(25, fat * 0.8))
            self._add(tube.surface(0, along[-1], 25, 10, folds=_folds(rng, 0.003, 3, 60), middle=fat), material, L.SCARF)
        if rng.random() < 0.75:
            for k in rng.choice([1, -1], rng.integers(1, 3), replace=False):
                n = rng.uniform(0.12, 0.3) * h
                points = []
                for q in np.linspace(0, 1, 5):
                    s = base - q * n
                    p, x, z = t.at(max(s, 0.02))
                    b = np.interp(s, t.along, t.half_z)
                    points.append(p + z * (b + extra + 0.022 * h + (self.shape.bust if q > 0.3 else 0)) + x * k * (0.022 + 0.012 * q) * h)
                centre, along = path(points, 10, 0.03)
                ring_x = np.repeat(t.at(base)[1][None], 10, 0)
                ring_z = np.cross(ring_x, unit(np.gradient(centre, axis=0)))
                tube = Tube(centre, along, ring_x, ring_z, np.full(10, 0.03 * h), np.full(10, 0.008 * h), 3.0)
                self._add(tube.surface(0, along[-1], 10, 12, taper=(True, True), middle=0.03), material, L.SCARF)

    def _legs(self):
        rng, o, k = self.rng, self.outfit, self.body.unit
        trousers = o.lower in ("pants", "shorts")
        if trousers:
            kind = rng.choice(["denim", "plain", "any", "leather"], p=[0.36, 0.40, 0.2, 0.04])
            material = self.stage.material(M.cloth(rng, kind))
            slim = rng.random() < 0.4 and o.lower == "pants"
            grow = rng.uniform(0.002, 0.007) if slim else rng.uniform(0.008, 0.03)
            wide = 0.0 if slim else rng.choice([0.0, rng.uniform(0.0, 0.06)])
            # Under a loose shirt, over a tucked one.
            waist = o.loose + 0.005 if o.tucked else min(grow, 0.5 * o.loose)
            self._add(self.body.torso.surface(0.0, 0.155 * k, self.rows(14), self.columns, grow=waist, folds=_folds(rng, 0.0012, 5, 12),
                                              taper=(True, False)), material, L.PANTS)
        sock = self.stage.material(M.cloth(rng, rng.choice(["plain", "any"]), M.any_colour(rng) if rng.random() < 0.6 else M.linear(0, 0, rng.uniform(0.7, 0.95))))
        shoe = M.cloth(rng, rng.choice(["leather", "plain"]))
        shoe[15], shoe[16] = rng.uniform(0.02, 0.25), 20
        shoe = self.stage.material(shoe)
        sole = self.stage.material(M.blank(M.CLOTH, M.linear(rng.random(), 0.1, rng.choice([0.1, 0.9]))))
        boot = rng.uniform(0.25, 0.95)
        seed = rng.uniform(0, 6.28, (3, 2))
        for side, _ in SIDES:
            leg = self.body.legs[side]
            hip, knee, end = leg.joints
            shin = end - knee
            covered = 0.0
            if trousers:
                stop = hip + (end - hip) * o.lower_length
                covered = stop - 0.02
                amount = rng.uniform(0.001, 0.004) + grow * 0.15
                self._add(leg.surface(0.0, stop, self.rows(36), self.columns, grow=lambda q: grow * (0.35 + 0.65 * np.clip(q * 4, 0, 1)) + wide * np.clip(q - 0.55, 0, 1) * 2,
                                      folds=(amount, 3, rng.uniform(14, 40), seed)), material, L.PANTS)
            self._add(leg.surface(covered, leg.length, self.rows(30), self.columns - 4), self.skin, L.LEG[side])
            sock_top = max(end - shin * o.sock_height, covered)  # never through narrow trousers
            if o.socks and sock_top < end - 0.015:
                self._add(leg.surface(sock_top, end, self.rows(12), self.columns - 4, grow=0.003), sock, L.SOCKS)
            self._foot(side, leg, shoe, sole, sock, boot)

    def _foot(self, side, leg, shoe, sole, sock, boot):
        o, p, h = self.outfit, self.pose, self.shape.h
        ankle, toe = p.ankles[side], p.toes[side]
        shin = unit(ankle - p.knees[side])
        up = across(-shin if abs(shin @ toe) < 0.95 else np.array([0, 1.0, 0]), toe)
        x = np.cross(up, toe)
        ground = ankle - up * self.shape.ankle
        grow = 0.004 * h if o.shoes else 0.0
        at = np.array([-0.036, -0.028, -0.005, 0.03, 0.065, 0.092, 0.107]) * h
        high = np.array([0.030, 0.046, 0.050, 0.044, 0.030, 0.022, 0.016]) * h
        wide = np.array([0.012, 0.019, 0.021, 0.022, 0.0255, 0.022, 0.010]) * h
        s = np.linspace(0, 1, 14)
        knots = np.linspace(0, 1, 7)
        place = lambda v: np.interp(s, knots, v)
        centre = ground + toe * place(at)[:, None] + up * (place(high) * 0.5)[:, None]
        along = place(at) - at[0]
        tube = Tube(centre, along, np.repeat(x[None], 14, 0), np.repeat(up[None], 14, 0), place(wide) + grow, place(high) * 0.5 + grow, 2.6)
        material, label = (shoe, L.SHOE[side]) if o.shoes else (sock, L.SOCKS) if o.socks else (self.skin, L.LEG[side])
        self._add(tube.surface(0, along[-1], 14, 16, taper=(True, True), middle=0.04), material, label)
        if o.shoes:
            flat = Tube(centre - up * (place(high) * 0.5 - 0.004 * h)[:, None], along, tube.x, tube.z, tube.half_x + 0.002 * h, np.full(14, 0.007 * h), 4.0)
            self._add(flat.surface(0, along[-1], 14, 16, taper=(True, True)), sole, label)
            end = leg.length
            top = (end - leg.joints[1]) * boot if o.boots else 0.012 * h
            self._add(leg.surface(end - top, end + 0.015 * h, self.rows(10), 16, grow=0.008 * h if o.boots else 0.005 * h), shoe, label)

    def _arm(self, side, k):
        rng, o, arm = self.rng, self.outfit, self.body.arms[side]
        shoulder, elbow, end = arm.joints
        sleeve = o.sleeve if o.top != "none" else 0.0
        stop = shoulder + (end - shoulder) * sleeve
        if side == "l":
            self.sleeve_grow = rng.uniform(0.5, 1.3) * o.loose + 0.003
            self.sleeve_bell = 0.0 if o.coat else rng.choice([0.0, rng.uniform(0, 0.03)])
            self.sleeve_folds = (rng.uniform(0.001, 0.0045), 3, rng.uniform(20, 50), rng.uniform(0, 6.28, (3, 2)))
        if sleeve > 0:
            label = L.DRESS if o.dress else L.UPPER
            self._add(arm.surface(0.0, stop, self.rows(28), self.columns - 6, grow=lambda q: self.sleeve_grow + self.sleeve_bell * q ** 2 * sleeve,
                                  folds=self.sleeve_folds), self.top_material, label)
        if o.coat:
            reach = 1.0 if rng.random() < 0.97 else 0.6
            self._add(arm.surface(0.0, shoulder + (end - shoulder) * reach, self.rows(28), self.columns - 6, grow=lambda q: max(self.coat_grow, self.sleeve_grow + 0.007) + 0.003,
                                  folds=(0.003, 3, 30, self.sleeve_folds[3])), self.coat_material, L.COAT)
        start = max(0.0, stop - 0.03) if sleeve > 0 else 0.72 * shoulder
        if sleeve == 0 and not o.coat:
            self._add(arm.surface(0.0, 0.78 * shoulder, 8, self.columns - 6), self.skin, L.TORSO)
        self._add(arm.surface(start, arm.length, self.rows(28), self.columns - 6), self.skin, L.ARM[side])

    def _hand(self, side, k):
        rng, o, p, h = self.rng, self.outfit, self.pose, self.shape.h
        wrist = p.wrists[side]
        d = unit(wrist - p.elbows[side])
        back = across(p.palm[side], d)
        thumb = np.cross(d, back) * k
        material, label = self.skin, L.ARM[side]
        if o.gloves:
            if side == "l":
                self.glove = self.stage.material(M.cloth(rng, rng.choice(["plain", "leather"])))
            material, label = self.glove, L.GLOVES
            if o.sleeve < 1 and not o.coat:  # long sleeves hide the cuff
                arm = self.body.arms[side]
                self._add(arm.surface(arm.length - rng.uniform(0.02, 0.12), arm.length, 6, 14, grow=0.006), material, label)
        g = 1.15 if o.gloves else 1.0
        palm = self.shape.hand * 0.52
        self._add(ball(wrist + d * palm * 0.5, np.stack([thumb * 0.0215 * h * g, d * palm * 0.68, back * 0.0115 * h * g]), 8, 10, texture=0.1), material, label)
        curl = rng.choice([rng.uniform(0.1, 0.6), rng.uniform(0.9, 1.7)])
        length = self.shape.hand * 0.50
        if self.detail > 0.55:
            for i, q in enumerate((-0.78, -0.27, 0.27, 0.78)):
                spread = unit(d + thumb * q * 0.16)
                root = wrist + d * palm * 0.93 + thumb * q * 0.0175 * h
                n = length * (0.80, 0.96, 1.0, 0.88)[i]
                first = root + (spread * np.cos(curl * 0.5) - back * np.sin(curl * 0.5)) * n * 0.5
                second = first + (spread * np.cos(curl * 1.3) - back * np.sin(curl * 1.3)) * n * 0.5
                r = 0.0052 * h * g
                self._add(rod([root, first, second], [r, r, r * 0.9, r * 0.8], 7, 7, 0.01), material, label)
        else:
            tip = unit(d * np.cos(curl * 0.8) - back * np.sin(curl * 0.8))
            self._add(ball(wrist + d * palm + tip * length * 0.4, np.stack([thumb * 0.019 * h * g, tip * length * 0.62, np.cross(thumb, tip) * 0.008 * h * g]), 7, 8, texture=0.1), material, label)
        start = wrist + d * palm * 0.25 + thumb * 0.014 * h
        r = 0.0068 * h * g
        self._add(rod([start, start + (d * 0.5 + thumb * 0.7) * 0.026 * h, start + (d * 1.0 + thumb * 0.55 - back * 0.3) * 0.05 * h], [r, r, r * 0.75], 6, 7, 0.01), material, label)
        self.grip[side] = (wrist + d * palm * 1.0 - back * 0.02 * h, d, back, thumb)

    def _extras(self, head):
        """Bags and held things: background that hides parts of the person."""
        rng, o, h, t, k = self.rng, self.outfit, self.shape.h, self.body.torso, self.body.unit
        material = self.stage.material(M.cloth(rng, rng.choice(["plain", "leather", "any"])))
        grow = o.loose + (0.03 if o.coat else 0.0)
        if o.bag == "back":
            p, x, z = t.at(0.24 * k)
            up = np.cross(z, x)
            size = rng.uniform(0.8, 1.3)
            b = np.interp(0.24 * k, t.along, t.half_z) + grow
            self._add(ball(p - z * (b + 0.05 * h * size), np.stack([x * 0.085 * h * size, up * 0.125 * h * size, -z * 0.055 * h]), 10, 14, texture=0.2), material, L.BACKGROUND)
            for s in (1, -1):
                points = [t.at(q * k)[0] + t.at(q * k)[2] * (np.interp(q * k, t.along, t.half_z) * f + grow * np.sign(f)) + t.at(q * k)[1] * s * 0.055 * h
                          for q, f in ((0.2, 0.9), (0.27, 1.12), (0.33, 1.1), (0.368, 0.2), (0.33, -1.0))]
                self._add(rod(points, 0.010 * h, 12, 6, 0.02), material, L.BACKGROUND)
        elif o.bag == "shoulder":
            s = rng.choice([1, -1])
            p, x, z = t.at(0.06 * k)
            up = np.cross(z, x)
            hang = p + x * s * (np.interp(0.06 * k, t.along, t.half_x) + grow + 0.035 * h)
            self._add(box(hang, np.stack([x * 0.03 * h, up * 0.06 * h, z * 0.08 * h])), material, L.BACKGROUND)
            q, x2, z2 = t.at(0.30 * k)
            front = q + z2 * (np.interp(0.30 * k, t.along, t.half_z) + grow + self.shape.bust + 0.01 * h)
            top = t.at(0.372 * k)[0] - x2 * s * 0.05 * h + np.cross(z2, x2) * 0.02 * h
            low = t.at(0.17 * k)
            middle = low[0] + low[2] * (np.interp(0.17 * k, t.along, t.half_z) + grow + 0.012 * h) + low[1] * s * 0.05 * h
            self._add(rod([hang + up * 0.05 * h, middle, front - x2 * s * 0.01 * h, top], 0.008 * h, 16, 6, 0.03), material, L.BACKGROUND)
        side = rng.choice(["l", "r"])
        spot, d, back, thumb = self.grip[side]
        if o.bag == "hand":
            down = np.array([0, -1.0, 0])
            x = across(thumb, down)
            self._add(box(spot + down * 0.12 * h, np.stack([x * 0.09 * h, down * 0.06 * h, np.cross(x, down) * 0.03 * h])), material, L.BACKGROUND)
            self._add(rod([spot + x * 0.05 * h + down * 0.06 * h, spot, spot - x * 0.05 * h + down * 0.06 * h], 0.005 * h, 8, 6, 0.02), material, L.BACKGROUND)
        elif o.holds != "none":
            thing = self.stage.material(M.gloss(rng, M.any_colour(rng)) if rng.random() < 0.5 else M.cloth(rng))
            out = spot - back * 0.012 * h
            if o.holds == "phone":
                mesh = box(out, np.stack([thumb * 0.02 * h, d * 0.042 * h, back * 0.003 * h]))
            elif o.holds == "ball":
                r = rng.uniform(0.03, 0.075) * h
                mesh = ball(out - back * r, np.eye(3) * r, 12, 16)
            elif o.holds == "box":
                r = rng.uniform(0.04, 0.1) * h
                mesh = box(out - back * r * 0.6, np.stack([thumb * r, d * r * rng.uniform(0.5, 1.2), back * r * 0.5]))
            elif o.holds in ("cup", "bottle"):
                n = (0.03 if o.holds == "cup" else 0.07) * h
                mesh = rod([out - thumb * n, out, out + thumb * n], [0.018 * h] * 3 + [0.012 * h if o.holds == "bottle" else 0.02 * h], 10, 10)
            elif o.holds == "stick":
                mesh = rod([out - thumb * 0.2 * h, out + thumb * 0.35 * h], 0.007 * h, 6, 6)
            else:
                top = out + np.array([0, 0.42 * h, 0])
                self._add(rod([out - np.array([0, 0.05 * h, 0]), top], 0.005 * h, 6, 6), thing, L.BACKGROUND)
                mesh = ball(top - np.array([0, 0.1 * h, 0]), np.eye(3) * np.array([[0.28 * h], [0.16 * h], [0.28 * h]]), 12, 16, clip=lambda v: v[..., 1] - 0.05)
            self._add(mesh, thing, L.BACKGROUND)
