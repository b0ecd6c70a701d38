"""Commands that draw the pictures of the documentation, and what builds its site."""
