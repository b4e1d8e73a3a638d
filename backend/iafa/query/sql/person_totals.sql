-- How many events, from when to when, and by which ids?
select count(*), epoch_us(min(created_at)), epoch_us(max(created_at)), arg_max(event_type, (created_at, id)),
    list_sort(list(distinct user_id) filter (where user_id is not null))[:$ids_max], list_sort(list(distinct anonymous_id) filter (where anonymous_id is not null))[:$ids_max]
from theirs
