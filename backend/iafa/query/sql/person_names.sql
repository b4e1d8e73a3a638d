-- How are these people called, and what did each do last?
select user_hash, arg_max(event_type, (created_at, id)), list_sort(list(distinct user_id) filter (where user_id is not null))[:$ids_max],
    list_sort(list(distinct anonymous_id) filter (where anonymous_id is not null))[:$ids_max], arg_min(user_id, (created_at, user_id)) filter (where user_id is not null)
from (
    {events}
)
where user_hash in (
    select unnest($people)
)
group by user_hash
