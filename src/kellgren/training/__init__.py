"""Regions and a recipe become trained networks, and those a bundle."""
