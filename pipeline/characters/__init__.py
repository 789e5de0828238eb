"""What is known of single characters: Han or not, levels of the standard table, script variants, classes."""
