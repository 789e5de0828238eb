"""The pictures: one module for each figure, and the style, fonts and plot elements that they share."""
