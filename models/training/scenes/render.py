# SPDX-License-Identifier: Apache-2.0
"""Builds and calls the C rasteriser (render.c)."""
from pathlib import Path

import numpy as np

from native import load, pointer

HERE = Path(__file__).resolve().parent
VERTEX = 10
MATERIAL = 40
_lib = None


def library():
    """The rasteriser, compiled when its source is newer."""
    global _lib
    if _lib is None:
        _lib = load(HERE / "render.c")
    return _lib


class Stage:
    """Collects meshes (already in camera space when drawn) and their materials."""

    def __init__(self):
        self.vertices, self.triangles, self.mesh_of = [], [], []
        self.labels, self.persons, self.materials_of, self.materials = [], [], [], []
        self.count = 0

    def material(self, values):
        """Registers a material and returns its number."""
        self.materials.append(values)
        return len(self.materials) - 1

    def add(self, vertices, triangles, material, label=0, person=0):
        """Adds one mesh: vertices [N, 10], triangles [M, 3]."""
        self.vertices.append(vertices)
        self.triangles.append(triangles + self.count)
        self.mesh_of.append(np.full(len(triangles), len(self.labels), np.int32))
        self.count += len(vertices)
        self.labels.append(label)
        self.persons.append(person)
        self.materials_of.append(material)

    def draw(self, width, height, supersample, view, backdrop, rotation, origin):
        """Draws the meshes; rotation and origin bring world to camera space."""
        vertices = np.concatenate(self.vertices).astype(np.float32)
        vertices[:, 0:3] = (vertices[:, 0:3] - origin) @ rotation.T
        vertices[:, 3:6] = vertices[:, 3:6] @ rotation.T
        vertices = np.ascontiguousarray(vertices, np.float32)
        triangles = np.ascontiguousarray(np.concatenate(self.triangles), np.int32)
        mesh_of = np.concatenate(self.mesh_of)
        labels, persons = np.array(self.labels, np.uint8), np.array(self.persons, np.uint8)
        materials_of = np.array(self.materials_of, np.int32)
        materials = np.ascontiguousarray(np.stack(self.materials), np.float32)
        view = np.ascontiguousarray(view, np.float32)
        backdrop = np.ascontiguousarray(backdrop, np.float32)
        rgb = np.empty((height, width, 3), np.float32)
        label = np.empty((height, width), np.uint8)
        person = np.empty((height, width), np.uint8)
        failed = library().draw(
            width, height, supersample, len(vertices), pointer(vertices), len(triangles), pointer(triangles),
            pointer(mesh_of), pointer(labels), pointer(persons), pointer(materials_of), pointer(materials),
            pointer(view), pointer(backdrop), pointer(rgb), pointer(label), pointer(person))
        if failed:
            raise MemoryError("the rasteriser ran out of memory")
        return rgb, label, person
