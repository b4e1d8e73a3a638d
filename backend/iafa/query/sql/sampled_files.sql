-- Which files hold events of a sample?
select distinct filename
from read_parquet($files, filename = true)
where sample_rate < 1
