-- Who was seen last?
select user_hash, count(*) as events, epoch_us(min(created_at)) as first_us, epoch_us(max(created_at)) as last_us
from (
    {events}
)
{where_found}
group by user_hash
having (epoch_us(max(created_at)), user_hash) < ($last_us, $person)
order by last_us desc, user_hash desc
limit $limit
