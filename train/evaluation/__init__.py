"""``python -m train evaluate``: how accurate a model is, as numbers, figures and a report.

``families`` says for each model what it is tested on and what its error means; ``label_box`` and
``own_detector`` make an :class:`~train.evaluation.results.Evaluation`; ``results`` sums it up;
``tables``, ``figures``, ``pictures`` and ``report`` show it.
"""
