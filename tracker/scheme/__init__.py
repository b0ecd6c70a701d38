"""Landmark schemes: points of a face or another object, what they mean, and how a crop is placed by them."""
