-- Which events of a range does the log show, before its filters?
select {columns}
from (
    {events}
)
where created_at >= make_timestamptz($from_us)
    and created_at < make_timestamptz($to_us){and_also}
