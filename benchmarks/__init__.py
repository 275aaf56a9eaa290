"""The timing programs; what they measured on known machines is in results/."""
