"""The engines that are asked."""
