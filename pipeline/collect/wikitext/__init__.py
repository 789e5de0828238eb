"""From a page of wikitext to the plain text that a reader sees."""
