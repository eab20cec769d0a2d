# SPDX-License-Identifier: Apache-2.0
"""Skeleton, proportions and poses: where a person's joints and limb surfaces are.

World: x right, y up, z towards the camera of a frontal view, metres. A person facing +z has
the own left side at +x; sides are "l" (+1) and "r" (-1).
"""
import numpy as np

from .geometry import Tube, across, frames, path, turn, unit

SIDES = (("l", 1.0), ("r", -1.0))


class Shape:
    """Proportions of one person, metres."""

    def __init__(self, rng):
        age = rng.choice(["child", "teen", "adult", "old"], p=[0.16, 0.12, 0.58, 0.14])
        self.age = age
        self.child = age == "child"
        self.male = rng.random() < 0.5
        if self.child:
            self.height = rng.uniform(0.9, 1.4)
        else:
            self.height = rng.normal(1.76 if self.male else 1.64, 0.07)
        h = self.height
        # Children: bigger head, shorter limbs, rounder.
        young = np.clip((1.55 - h) / 0.7, 0, 1) if self.child else 0.0
        self.h = h
        self.weight = np.clip(rng.normal(1.0, 0.16), 0.74, 1.55) * (1 + 0.06 * young)
        self.belly = max(0.0, rng.normal(0.25 if age == "old" else 0.0, 0.35) + (self.weight - 1) * 1.5)
        head = (0.068 + 0.036 * young) * h
        self.head = head * rng.uniform(0.95, 1.05)  # half height
        self.head_wide = self.head * rng.uniform(0.66, 0.75) * (1.06 if self.child else 1.0)
        self.head_deep = self.head * rng.uniform(0.80, 0.88)
        leg = 1 - 0.10 * young
        self.thigh, self.shin = 0.242 * h * leg, 0.236 * h * leg
        self.ankle = 0.045 * h
        self.upper_arm, self.forearm, self.hand = 0.172 * h * leg, 0.143 * h * leg, 0.098 * h
        self.hip_half = 0.051 * h
        self.shoulder_half = (0.108 if self.male else 0.096) * h * (1 - 0.1 * young) * rng.uniform(0.94, 1.06)
        self.torso = 0.315 * h * (1 - 0.04 * young)  # hip joints to base of the neck
        self.neck = rng.uniform(0.026, 0.036) * h * (1 - 0.4 * young)
        self.bust = 0.0 if self.male or self.child else rng.uniform(0.010, 0.034) * h
        self.thick = self.weight ** 0.75


def bend_between(a, b, first, second, pole):
    """Elbow or knee between a and the target b; also the reachable end point."""
    reach = b - a
    length = np.linalg.norm(reach)
    length = np.clip(length, abs(first - second) * 1.15 + 1e-3, (first + second) * 0.995)
    direction = unit(reach)
    side = across(pole, direction)
    cos = (first ** 2 + length ** 2 - second ** 2) / (2 * first * length)
    sin = np.sqrt(max(0.0, 1 - cos * cos))
    return a + first * (cos * direction + sin * side), a + length * direction


class Pose:
    """Joint positions and frames of one person, feet on the ground (y = 0)."""

    def __init__(self, rng, shape, kind=None):
        kinds = ["stand", "walk", "run", "sit", "bend", "kneel", "jump", "floor"]
        self.kind = kind or rng.choice(kinds, p=[0.44, 0.19, 0.06, 0.14, 0.06, 0.05, 0.03, 0.03])
        self.shape = shape
        self._trunk(rng)
        self._legs(rng)
        self._arms(rng)
        self.seat = self.pelvis - np.array([0, 0.075 * shape.h, 0])
        low = min(self.ankles[s][1] - shape.ankle for s, _ in SIDES)
        low = min(low, self.knees["l"][1] - 0.045 * shape.h, self.knees["r"][1] - 0.045 * shape.h)
        if self.kind == "floor":
            low = min(low, self.seat[1])
        self.lift = -low + (rng.uniform(0.05, 0.3) if self.kind == "jump" else 0)
        for name in ("pelvis", "waist", "chest", "neck", "neck_top", "head", "seat"):
            setattr(self, name, getattr(self, name) + [0, self.lift, 0])
        for group in (self.shoulders, self.elbows, self.wrists, self.hips, self.knees, self.ankles):
            for s, _ in SIDES:
                group[s] = group[s] + [0, self.lift, 0]

    def _trunk(self, rng):
        sh, h = self.shape, self.shape.h
        lean = rng.normal(0.03, 0.06)
        if self.kind == "run":
            lean = rng.uniform(0.1, 0.4)
        elif self.kind == "bend":
            lean = rng.uniform(0.5, 1.25)
        elif self.kind == "sit":
            lean = rng.normal(0.02, 0.18)
        elif self.kind == "floor":
            lean = rng.normal(-0.1, 0.2)
        roll, twist = rng.normal(0, 0.06), rng.normal(0, 0.18)
        self.pelvis = np.array([0, 0.52 * h, 0])
        hip_roll = rng.normal(0, 0.06)
        base = turn([0, 0, 1], hip_roll) @ turn([1, 0, 0], lean * 0.45)
        mid = base @ turn([1, 0, 0], lean * 0.35) @ turn([0, 0, 1], roll - hip_roll) @ turn([0, 1, 0], twist * 0.5)
        top = mid @ turn([1, 0, 0], lean * 0.2 + rng.normal(0, 0.05)) @ turn([0, 1, 0], twist * 0.5)
        self.pelvis_frame, self.chest_frame = base, top
        up = np.array([0, 1, 0])
        self.waist = self.pelvis + base @ up * sh.torso * 0.30
        self.chest = self.waist + mid @ up * sh.torso * 0.36
        self.neck = self.chest + top @ up * sh.torso * 0.34
        nod, look, tilt = rng.normal(0.05, 0.16), rng.normal(0, 0.32), rng.normal(0, 0.08)
        counter = turn([1, 0, 0], -lean * rng.uniform(0.3, 0.8))
        self.head_frame = top @ counter @ turn([0, 1, 0], look) @ turn([1, 0, 0], nod) @ turn([0, 0, 1], tilt)
        neck_up = unit(top @ up + 0.8 * (self.head_frame @ up))
        self.neck_top = self.neck + neck_up * sh.neck
        self.head = self.neck + neck_up * sh.neck + self.head_frame @ np.array([0, 0.93 * sh.head, 0.20 * sh.head])

    def _legs(self, rng):
        sh, h = self.shape, self.shape.h
        self.hips, self.knees, self.ankles, self.toes = {}, {}, {}, {}
        phase = rng.choice([-1, 1])
        spread = abs(rng.normal(0.02, 0.03)) * h
        cross = self.kind == "sit" and rng.random() < 0.2
        seat_height = sh.shin + sh.ankle + rng.uniform(-0.04, 0.12) * h
        for side, k in SIDES:
            hip = self.pelvis + self.pelvis_frame @ np.array([k * sh.hip_half, -0.01 * h, 0])
            self.hips[side] = hip
            splay = rng.uniform(0.0, 0.35)
            forward = turn([0, 1, 0], k * splay) @ np.array([0, 0, 1.0])
            pole = forward + np.array([k * 0.15, 0, 0])
            down = sh.thigh + sh.shin
            if self.kind in ("stand", "bend"):
                soft = rng.uniform(0.95, 0.998) if rng.random() < 0.85 else rng.uniform(0.8, 0.95)
                target = hip + [k * spread + rng.normal(0, 0.01), -down * soft, rng.normal(0, 0.04) * h]
                if self.kind == "stand" and rng.random() < 0.06:  # a foot on a step
                    target = hip + [k * spread, -down * 0.7, 0.16 * h]
            elif self.kind == "walk":
                swing = k * phase * rng.uniform(0.4, 1.0)
                target = hip + [k * spread * 0.4, -down * (0.965 - 0.04 * abs(swing)), swing * 0.15 * h]
            elif self.kind == "run":
                swing = k * phase
                target = hip + ([0, -down * rng.uniform(0.62, 0.8), 0.18 * h] if swing > 0 else
                                [0, -down * rng.uniform(0.5, 0.75), -0.24 * h])
            elif self.kind == "jump":
                target = hip + [k * rng.uniform(0, 0.12) * h, -down * rng.uniform(0.6, 0.97), rng.normal(0, 0.1) * h]
            elif self.kind == "kneel":
                target = hip + ([k * 0.01, -down * 0.52, -0.26 * h] if k == phase else [k * 0.02, -down * 0.56, 0.20 * h])
            elif self.kind == "floor":
                target = hip + [k * rng.uniform(0, 0.1) * h, rng.uniform(-0.06, 0.02) * h, rng.uniform(0.24, 0.46) * h]
                pole = np.array([k * rng.uniform(0, 1.4), 1.0, 0.0])
            else:  # sit
                knee_out = k * (rng.uniform(0.0, 0.09) * h)
                drop = min(seat_height, sh.shin)
                target = hip + [knee_out * 0.8, -drop * 0.98, sh.thigh * rng.uniform(0.75, 1.15)]
                pole = np.array([k * 0.2, 0.6, 1.0])
                if cross and k == phase:
                    target = hip + [-k * 0.10 * h, -drop * 0.62, sh.thigh * 1.2]
            knee, ankle = bend_between(hip, target, sh.thigh, sh.shin, pole)
            self.knees[side], self.ankles[side] = knee, ankle
            toe = across(forward, [0, 1, 0]) if self.kind not in ("jump", "run", "kneel", "floor") else \
                across(forward + np.array([0, 0.2, 0]), ankle - knee)
            toe = unit(toe + np.array([0, rng.normal(-0.03, 0.05), 0]))
            self.toes[side] = toe

    def _hand_target(self, rng, side, k, pick):
        """Where a hand goes, in the chest's frame from the shoulder, and the elbow's side."""
        sh = self.shape
        arm = sh.upper_arm + sh.forearm
        out, up, front = np.array([k, 0, 0]), np.array([0, 1.0, 0]), np.array([0, 0, 1.0])
        middle = -k * sh.shoulder_half * out * k  # towards the breast bone
        if pick == "down":
            return (out * rng.uniform(0.04, 0.16) - up * rng.uniform(0.93, 0.99) + front * rng.uniform(-0.05, 0.2)) * arm, -front + 0.5 * out
        if pick == "hip":
            return middle * 0.05 - up * arm * 0.70 + out * arm * 0.08 + front * 0.02, out - 0.4 * front
        if pick == "pocket":
            return middle * 0.15 - up * arm * 0.86 + front * arm * 0.10, out * 0.8 - front
        if pick == "fold":
            return middle * 1.5 - up * arm * rng.uniform(0.34, 0.46) + front * arm * 0.36, out - up
        if pick == "front":
            return middle * rng.uniform(0.5, 1.1) - up * arm * rng.uniform(0.35, 0.75) + front * arm * rng.uniform(0.3, 0.55), out * 0.8 - up * 0.6
        if pick == "face":
            return middle * rng.uniform(0.3, 0.9) + up * arm * rng.uniform(0.16, 0.34) + front * arm * rng.uniform(0.12, 0.3), out - up * 0.6
        if pick == "reach":
            return (front * rng.uniform(0.6, 0.95) + up * rng.uniform(-0.4, 0.35) + out * rng.uniform(-0.3, 0.5)) * arm, out - up
        if pick == "wide":
            return (out * rng.uniform(0.6, 0.98) + up * rng.uniform(-0.55, 0.5) + front * rng.uniform(-0.2, 0.3)) * arm, -up
        if pick == "up":
            return (up * rng.uniform(0.5, 0.97) + out * rng.uniform(0.0, 0.5) + front * rng.uniform(-0.1, 0.35)) * arm, out - front * 0.3
        if pick == "back":
            return middle * 0.9 - up * arm * 0.72 - front * arm * 0.22, out - front
        if pick == "lap":
            return middle * rng.uniform(0.1, 0.9) - up * arm * rng.uniform(0.62, 0.8) + front * arm * rng.uniform(0.35, 0.6), out - 0.4 * up
        # swing: along the body, as in walking
        swing = rng.uniform(-0.5, 0.55)
        return (out * 0.12 - up * (0.93 - 0.2 * abs(swing)) + front * swing) * arm, -front + out * 0.4

    def _arms(self, rng):
        sh = self.shape
        picks = ["down", "hip", "pocket", "front", "face", "reach", "wide", "up", "back", "swing"]
        odds = np.array([0.24, 0.08, 0.08, 0.13, 0.08, 0.08, 0.08, 0.09, 0.03, 0.11])
        if self.kind in ("walk", "run"):
            odds = np.array([0.1, 0.02, 0.04, 0.1, 0.05, 0.05, 0.05, 0.06, 0.02, 0.51])
        first = rng.choice(picks, p=odds / odds.sum())
        second = first if rng.random() < 0.45 else rng.choice(picks, p=odds / odds.sum())
        if self.kind in ("sit", "floor") and rng.random() < 0.6:
            first = second = "lap"
        elif self.kind != "run" and rng.random() < 0.07:
            first = second = "fold"
        self.shoulders, self.elbows, self.wrists, self.palm = {}, {}, {}, {}
        for (side, k), pick in zip(SIDES, (first, second)):
            target, pole = self._hand_target(rng, side, k, pick)
            raised = max(0.0, target[1] / (sh.upper_arm + sh.forearm))
            joint = np.array([k * sh.shoulder_half * (1 - 0.12 * raised), -0.028 * sh.h + 0.05 * raised * sh.h, 0])
            if self.kind == "run":
                target, pole = (np.array([-k * 0.04 * sh.h, -0.16 * sh.h, 0.14 * sh.h]) if k > 0 else
                                np.array([k * 0.05 * sh.h, -0.20 * sh.h, -0.02 * sh.h])), np.array([k * 0.3, -0.2, -1.0])
            shoulder = self.neck + self.chest_frame @ joint
            elbow, wrist = bend_between(shoulder, shoulder + self.chest_frame @ target, sh.upper_arm, sh.forearm,
                                        self.chest_frame @ pole)
            self.shoulders[side], self.elbows[side], self.wrists[side] = shoulder, elbow, wrist
            # The back of the hand looks outwards and a little to the front.
            self.palm[side] = self.chest_frame @ unit(np.array([k, 0.1, 0.5 if pick != "front" else 0.1]))


class Body:
    """The tubes (torso, arms, legs) that skin and garments are drawn on."""

    def __init__(self, shape, pose):
        self.shape, self.pose = shape, pose
        self.torso = self._torso()
        self.arms = {s: self._arm(s, k) for s, k in SIDES}
        self.legs = {s: self._leg(s, k) for s, k in SIDES}

    def _torso(self):
        sh, p, h = self.shape, self.pose, self.shape.h
        base, top = p.pelvis_frame, p.chest_frame
        crotch = p.pelvis - base @ np.array([0, 0.068 * h, 0])
        centre, along = path([crotch, p.pelvis, p.waist, p.chest, p.neck, p.neck_top + (p.head_frame @ [0, 0.3 * sh.head, 0])], 28, 0.10)
        # The sides turn from the pelvis' to the chest's.
        t = np.clip(along / (0.068 * h + sh.torso), 0, 1)[:, None]
        tangent = unit(np.gradient(centre, axis=0))
        x = across((1 - t) * base[:, 0] + t * top[:, 0], tangent)
        z = np.cross(x, tangent)
        k = (0.068 * h + sh.torso) / 0.383  # torso coordinates as a share of the height
        w = sh.thick
        belly = 0.018 * np.clip(sh.belly, 0, 2)
        hip = 0.093 if sh.male else 0.099
        waist = 0.079 if sh.male else 0.068
        rib = 0.092 if sh.male else 0.079
        wide = sh.shoulder_half / h
        #        crotch  low    hip    waist          rib    armpit        shoulder     slope         base   neck   top
        knots = [0.0,    0.02,  0.068, 0.165,         0.25,  0.315,        0.342,       0.362,        0.383, 0.41,  0.47]
        half_x = [0.055, 0.088 * w, hip * w, (waist + belly * 0.4) * w, rib * w, (0.92 * wide) * w ** 0.4, 0.90 * wide, 0.66 * wide, 0.040, 0.030, 0.031]
        half_z = [0.040, 0.056 * w, 0.064 * w, (0.052 + belly) * w, (0.061 + 0.3 * belly) * w, 0.058 * w, 0.048 * w ** 0.5, 0.042, 0.036, 0.032, 0.034]
        if sh.child:
            half_x[8:] = [0.036, 0.031, 0.034]
        at = np.array(knots) * k
        tube = Tube(centre, along, x, z, np.interp(along, at, np.array(half_x) * h), np.interp(along, at, np.array(half_z) * h), 2.3)
        if sh.bust > 0:
            for k2 in (1, -1):
                tube.bumps.append((np.pi / 2 - k2 * 0.52, 0.272 * k, 0.36, 0.036 * h, sh.bust * 0.9))
        else:
            for k2 in (1, -1):
                tube.bumps.append((np.pi / 2 - k2 * 0.5, 0.29 * k, 0.4, 0.035 * h, 0.004 * h))
        for k2 in (1, -1):
            tube.bumps.append((-np.pi / 2 - k2 * 0.5, 0.045 * k, 0.45, 0.04 * h, 0.014 * h * w))
        self.unit = k
        return tube

    def _arm(self, side, k):
        sh, p, h = self.shape, self.pose, self.shape.h
        # From beside the neck: the tube is the slope of the shoulder, too.
        start = p.neck + p.chest_frame @ np.array([k * 0.024 * h, 0.004 * h, -0.004 * h])
        centre, along = path([start, p.shoulders[side], p.elbows[side], p.wrists[side]], 30, 0.05 * h)
        x, z = frames(centre, p.chest_frame @ np.array([0, 1.0, 0.2]))
        s = np.linalg.norm(p.shoulders[side] - start)
        a, b = sh.upper_arm, sh.forearm
        m = sh.thick * (1.08 if sh.male else 0.94)
        knots = [0, s * 0.55, s, s + 0.3 * a, s + 0.65 * a, s + a, s + a + 0.25 * b, s + a + 0.6 * b, s + a + b]
        r = np.array([0.020, 0.0265, 0.0290 * m, 0.0280 * m, 0.0262 * m, 0.0225 * m, 0.0245 * m, 0.0205 * m, 0.0150]) * h
        radius = np.interp(along / along[-1] * knots[-1], knots, r)
        tube = Tube(centre, along, x, z, radius, radius * 0.96)
        tube.joints = (s, s + a, along[-1])
        return tube

    def _leg(self, side, k):
        sh, p, h = self.shape, self.pose, self.shape.h
        hip, knee, ankle = p.hips[side], p.knees[side], p.ankles[side]
        start = hip + (p.pelvis_frame @ np.array([0, 0.035 * h, -0.004 * h]))
        centre, along = path([start, hip, knee, ankle], 28, 0.05 * h)
        # Knees point along the bend, or forward in a straight leg.
        front = across(p.toes[side] + 0.01 * (knee - 0.5 * (hip + ankle)), ankle - hip)
        x, z = frames(centre, np.cross(front, unit(hip - ankle)))
        s = np.linalg.norm(hip - start)
        a, b = sh.thigh, sh.shin
        m = sh.thick
        knots = [0, s, s + 0.2 * a, s + 0.6 * a, s + 0.93 * a, s + a, s + a + 0.12 * b, s + a + 0.33 * b, s + a + 0.62 * b, s + a + 0.92 * b, s + a + b]
        r = np.array([0.045, 0.050 * m, 0.0495 * m, 0.041 * m, 0.0325 * m, 0.0315 * m, 0.031 * m, 0.0335 * m, 0.0265 * m, 0.0195, 0.0205]) * h
        radius = np.interp(along / along[-1] * knots[-1], knots, r)
        tube = Tube(centre, along, x, z, radius, radius * 1.02)
        tube.joints = (s, s + a, along[-1])
        return tube
