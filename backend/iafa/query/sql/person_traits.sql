-- What was said of the person, the latest first?
select epoch_us(created_at), properties
from theirs
where event_type in ('identify', '$identify')
    and properties != '{{}}'
order by created_at desc, id desc
limit $identifies_max
