-- Which files hold events of people who have no id but the fallback one?
select distinct filename
from read_parquet($files, filename = true)
where user_id is null
    and starts_with(anonymous_id, $prefix)
