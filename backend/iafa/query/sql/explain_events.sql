-- What did the person do (of too many events those of the path, then those nearest to $near_us), which stages does each event name (`named`) and which does it match with filters (`steps`)?
with identified as (
    {identified}
)
select *
from (
    select epoch_us(created_at) as time_us, id, event_type, {partition} as part, {named} as named, {steps} as steps,
        {optional} as optional, {excluded} as excluded, {is_filtered} as is_filtered
    from identified
    where entity = $person
    order by {is_of_path} desc, abs(epoch_us(created_at) - $near_us), time_us, id
    limit $most
)
order by time_us, id
