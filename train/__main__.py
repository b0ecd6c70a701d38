"""``python -m train``: train a model, or evaluate predictions."""

from train.cli.main import main

if __name__ == "__main__":
    main()
