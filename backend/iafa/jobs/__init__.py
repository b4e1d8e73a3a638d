"""What runs beside requests and needs two lower rooms: flush, compaction, uploads."""
