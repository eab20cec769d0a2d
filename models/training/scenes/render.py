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
    """Collects meshes and their materials."""

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

    def seen_from(self, rotation, origin):
        """The meshes in camera space; rotation and origin bring the world there."""
        return Meshes(self, rotation, origin)


class Meshes:
    """What a stage holds, packed for the rasteriser."""

    def __init__(self, stage, rotation, origin):
        vertices = np.concatenate(stage.vertices).astype(np.float32)
        vertices[:, 0:3] = (vertices[:, 0:3] - origin) @ rotation.T
        vertices[:, 3:6] = vertices[:, 3:6] @ rotation.T
        self.vertices = np.ascontiguousarray(vertices, np.float32)
        self.triangles = np.ascontiguousarray(np.concatenate(stage.triangles), np.int32)
        self.mesh_of = np.concatenate(stage.mesh_of)
        self.labels, self.persons = np.array(stage.labels, np.uint8), np.array(stage.persons, np.uint8)
        self.materials_of = np.array(stage.materials_of, np.int32)
        self.materials = np.ascontiguousarray(np.stack(stage.materials), np.float32)

    def draw(self, size, supersample, view, backdrop):
        """Draws them: rgb float [size, size, 3], surface and person uint8 [size, size].

        view: of a picture supersample times as large; backdrop: [size, size, 3].
        """
        view = np.ascontiguousarray(view, np.float32)
        backdrop = np.ascontiguousarray(backdrop, np.float32)
        rgb = np.empty((size, size, 3), np.float32)
        surface, person = np.empty((2, size, size), np.uint8)
        failed = library().draw(
            size, size, supersample, len(self.vertices), pointer(self.vertices), len(self.triangles), pointer(self.triangles),
            pointer(self.mesh_of), pointer(self.labels), pointer(self.persons), pointer(self.materials_of), pointer(self.materials),
            pointer(view), pointer(backdrop), pointer(rgb), pointer(surface), pointer(person))
        if failed:
            raise MemoryError("the rasteriser ran out of memory")
        return rgb, surface, person
