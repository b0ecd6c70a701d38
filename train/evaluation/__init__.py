"""Accuracy of models, as numbers, figures and a report: ``python -m train evaluate``.

``families`` defines the test set of each model and the unit of its error; ``label_box`` and ``own_detector``
create an :class:`~train.evaluation.results.Evaluation`; ``results`` summarises it; ``tables``, ``figures``,
``pictures`` and ``report`` display it.
"""
