-- What is shown of the events of a page?
select {columns}
from (
    {events}
)
where created_at >= make_timestamptz($from_us)
    and created_at <= make_timestamptz($last_us)
    and id in (select unnest($ids))
