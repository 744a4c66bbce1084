"""Numbers with intervals, from answers and the truth. Knows nothing of images or networks."""
