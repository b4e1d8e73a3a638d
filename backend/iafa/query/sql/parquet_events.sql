-- Which events are in the files of the snapshot?
select {columns}
from read_parquet($files)
