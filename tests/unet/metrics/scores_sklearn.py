#!/usr/bin/env python3
"""scikit-learn's figures of the same pixels: scores_sklearn.py PIXELS.json OUT.json. Probabilities are rounded as Scores rounds them."""
import json
import sys

import numpy as np
from sklearn import metrics
from sklearn.calibration import calibration_curve

STEPS, BINS = 65535, 15


def calibration_error(labels, probability):
    share, mean = calibration_curve(labels, probability, n_bins=BINS)
    counts = np.bincount(np.searchsorted(np.linspace(0, 1, BINS + 1)[1:-1], probability))  # as calibration_curve does
    return float((np.abs(share - mean) * counts[counts > 0]).sum() / counts.sum())


def main(source, target):
    with open(source) as file:
        pixels = json.load(file)
    labels = np.array(pixels["labels"])
    step = np.floor(np.array(pixels["probability"], np.float32) * np.float32(STEPS) + np.float32(0.5))
    probability = step.astype(np.float64) / STEPS
    precision, recall, _ = metrics.precision_recall_curve(labels, probability)
    with open(target, "w") as file:
        json.dump({"average_precision": metrics.average_precision_score(labels, probability),
                   "roc_area": metrics.roc_auc_score(labels, probability),
                   "brier": metrics.brier_score_loss(labels, probability),
                   "calibration_error": calibration_error(labels, probability),
                   "precision": precision.tolist(), "recall": recall.tolist()}, file)


if __name__ == "__main__":
    main(*sys.argv[1:])
