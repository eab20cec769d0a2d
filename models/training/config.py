# SPDX-License-Identifier: Apache-2.0
"""What is trained, and how long in which size."""
import copy

from scenes.labels import NAMES

# What a part must score, and a pixel of it, to be in the label map. Scores are probabilities
# (export.py), so 0.5, which M2FP has, leaves out too much; found on drawn scenes.
MAP = 0.2

# ModelScope's layout: export.py writes it beside the weights.
CONFIGURATION = {
    "framework": "pytorch",
    "task": "image-segmentation",
    "model": {
        "type": "m2fp",
        "pretrained": True,
        "backbone": {
            "out_features": ["res2", "res3", "res4", "res5"], "depth": 50, "num_groups": 1, "width_per_group": 24, "norm": "BN",
            "stem_out_channels": 32, "res2_out_channels": 64, "stride_in_1x1": False, "res4_dilation": 1, "res5_dilation": 1,
            "res5_multi_grid": [1, 1, 1],
        },
        "encoder": {
            "in_features": ["res2", "res3", "res4", "res5"], "transformer_dropout": 0.0, "transformer_nheads": 8,
            "transformer_dim_feedforward": 256, "transformer_enc_layers": 3, "conv_dim": 64, "mask_dim": 64,
            "transformer_in_features": ["res3", "res4", "res5"], "common_stride": 4,
        },
        "decoder": {
            "num_classes": 21, "hidden_dim": 64, "num_queries": 80, "nheads": 8, "dim_feedforward": 256, "dec_layers": 6,
            "pre_norm": False, "mask_dim": 64, "enforce_input_project": False,
        },
        "classes": NAMES,
        "num_parsing": 20,
        "single_human": False,
        "parsing_on": True,
        "semantic_on": False,
        "sem_seg_postprocess_before_inference": True,
        "parsing_ins_score_thr": MAP,
        "label_map_confidence": MAP,  # ours
    },
    "pipeline": {"type": "m2fp-image-human-parsing"},
}

# (pictures seen until which the stage lasts, side of the crops, batch of one CPU process, most people in a scene)
STAGES = [
    (15_000, 96, 8, 2),
    (40_000, 128, 8, 2),
    (90_000, 128, 8, 11),
    (220_000, 160, 8, 11),
    (330_000, 176, 8, 11),
    (570_000, 224, 8, 11),
    (1 << 40, 320, 8, 11),
]
# The scene is fed at this size in use after a stage whose crops have the size on the left, found by trying:
# crops are magnified, so a whole scene wants more pixels than they have.
USE = {96: 160, 128: 192, 160: 224, 176: 224, 224: 256, 256: 288, 320: 416}

RATE = 1e-3
WARM_UP = 500
WARM_UP_AGAIN = 100  # of weights that are trained already
SLOWER = 200_000  # pictures after which the rate is down to 0.7; nobody knows how many hours will come
DECAY = 0.05
MOMENTUM = 0.95  # Muon's
CLIP = 5.0
EMA = 0.999
EMA_FALLING = 0.995  # while the rate falls: a longer average would lag behind

# Scenes of this seed are for judging only; training draws its own from generate.TRAINING_SEED.
EVALUATION_SEED = 20_260_001
EVALUATION_SCENES = 500


def stage(seen):
    """Crop side, batch, most people for a number of pictures seen."""
    return next(row[1:] for row in STAGES if seen < row[0])


def settled(seen):
    """The same for the end of a falling rate: crops as large as scenes are fed in use."""
    side, *others = stage(seen)
    return USE[side], *others


def configuration():
    """A copy of the configuration."""
    return copy.deepcopy(CONFIGURATION)
