"""Wall-clock figures, as ratios against what is run beside them; programs, not tests: nothing here can fail a build."""
