-- What did the person do, which stages does each event name (`named`) and which does it match with filters (`steps`)?
with identified as (
    {identified}
)
select epoch_us(created_at) as time_us, id, event_type, {partition} as part, {named} as named, {steps} as steps,
    {optional} as optional, {excluded} as excluded, {is_filtered} as is_filtered
from identified
where entity = $person
order by time_us, id
limit $most
