-- Which of them does the report look at, and whose are they?
select user_hash as person, epoch_us(created_at) as time_us, * exclude (user_hash, created_at)
from (
    {events}
)
where {is_kept}
