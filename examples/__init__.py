"""Small programs that use the package, each complete in its own file; ``README.md`` lists them."""
