#!/usr/bin/env python3
"""scikit-learn's figures of the same pixels: sklearn_figures.py PIXELS.json OUT.json. Labels of 255 are left out.

`probability` is a list, of the label 1, or has a row per pixel, of which the largest wins. Probabilities are rounded as
Scores rounds them where a curve is made of them.
"""
import json
import sys

import numpy as np
from sklearn import metrics
from sklearn.calibration import calibration_curve

STEPS, BINS, IGNORE = 65535, 15, 255


def calibration_error(labels, probability):
    share, mean = calibration_curve(labels, probability, n_bins=BINS)
    counts = np.bincount(np.searchsorted(np.linspace(0, 1, BINS + 1)[1:-1], probability))  # as calibration_curve does
    return float((np.abs(share - mean) * counts[counts > 0]).sum() / counts.sum())


def curves(labels, probability):
    step = np.floor(probability * np.float32(STEPS) + np.float32(0.5))
    rounded = step.astype(np.float64) / STEPS
    precision, recall, _ = metrics.precision_recall_curve(labels, rounded)
    return {"pr_area": metrics.average_precision_score(labels, rounded),
            "roc_area": metrics.roc_auc_score(labels, rounded),
            "brier": metrics.brier_score_loss(labels, rounded),
            "calibration_error": calibration_error(labels, rounded),
            "curve_precision": precision.tolist(), "curve_recall": recall.tolist()}


def ratios(truth, found):
    precision, recall, dice, _ = metrics.precision_recall_fscore_support(truth, found, average="binary",
                                                                         zero_division=0)
    return {"iou": metrics.jaccard_score(truth, found, zero_division=0), "dice": dice, "precision": precision,
            "recall": recall, "accuracy": metrics.accuracy_score(truth, found)}


def main(source, target):
    with open(source) as file:
        pixels = json.load(file)
    labels, probability = np.array(pixels["labels"]), np.array(pixels["probability"], np.float32)
    probability = probability[labels != IGNORE]
    labels = labels[labels != IGNORE]
    binary = probability.ndim == 1
    found = (probability > np.float32(pixels["threshold"])).astype(int) if binary else probability.argmax(1)
    classes = []
    for c in [1] if binary else range(probability.shape[1]):
        column = probability if binary else probability[:, c]
        classes.append(ratios(labels == c, found == c) | curves(labels == c, column))
    figures = {"classes": classes, "confusion_matrix": metrics.confusion_matrix(labels, found).tolist()}
    if not binary:
        figures["at_least"] = [ratios(labels >= level, found >= level) for level in range(1, probability.shape[1])]
        figures["foreground"] = curves(labels > 0, np.float32(1) - probability[:, 0])
    with open(target, "w") as file:
        json.dump(figures, file)


if __name__ == "__main__":
    main(*sys.argv[1:])
