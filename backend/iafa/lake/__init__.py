"""The Parquet lake: paths, columns, files, manifests, snapshots. Knows nothing of metadata, journals or HTTP."""
