"""Progress and health of a run and of a fetch, with the standard library alone, and the screens that show them."""
