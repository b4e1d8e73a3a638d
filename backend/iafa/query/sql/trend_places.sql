-- In which group is each event? 1, 2, ... are the groups that are shown, 0 is any other value, -1 is none.
select marked.* exclude (value),
    case when marked.value is null then -1 else coalesce(shown.place, 0) end as place
from (
    {marked}
) as marked
left join (
    select unnest($groups::varchar[]) as value, unnest(range(1, len($groups::varchar[]) + 1)) as place
) as shown
    on marked.value = shown.value
