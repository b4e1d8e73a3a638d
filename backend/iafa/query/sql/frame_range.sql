-- Which events lie in the range of a report?
select *
from (
    {events}
)
where created_at >= make_timestamptz($from_us) and created_at < make_timestamptz($to_us) and {is_read}
