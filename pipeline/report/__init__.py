"""What a person reads of an analysis: console report, report page, summary table."""
