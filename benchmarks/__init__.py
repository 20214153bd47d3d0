"""How fast, as ratios to a floor that is measured in the same run: `make bench` prints a question and a ratio each."""
