"""The receipt of a number: its SQL, its files, its counts, and a notebook that finds it again without the server."""
