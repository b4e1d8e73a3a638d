-- When did each person first do each of these events? Of some of the people, chosen by their hash.
select entity, event_type, epoch_us(min(created_at)) as time_us
from (
    {identified}
)
where event_type in ({names})
    and hash(entity) % $parts = 0
group by entity, event_type
