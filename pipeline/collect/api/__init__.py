"""The API source: discover and fetch the pages of a wiki, politely, into a store that survives any interruption."""
