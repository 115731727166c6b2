"""Questions that are computed from a table: sums, counts, averages, extremes and choices of rows."""
