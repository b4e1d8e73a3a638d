-- Which events of the time that was read are in no file yet?
select {columns}
from tail
where created_at >= make_timestamptz($read_from_us)
    and created_at < make_timestamptz($read_to_us)
