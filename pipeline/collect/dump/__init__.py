"""Articles from files of the whole wiki: XML dumps and Parquet."""
