"""What timm lacks: the Siamese network, and the graph that ships. Needs torch."""
