-- Which events had people done before their moment, which soon after it, and how many of them converted?
with identified as (
    {identified}
),
did as (
    select distinct weight, members.converted, event_type, epoch_us(created_at) > members.at_us as is_after
    from identified
    join members on identified.entity = members.entity
    where epoch_us(created_at) >= members.before_from_us
        and epoch_us(created_at) < members.after_to_us
        and (epoch_us(created_at) < members.before_to_us or epoch_us(created_at) > members.at_us)
        and not ({is_outcome})
)
select is_after, event_type, count(*) as people, sum(converted)::bigint as converted, bit_xor(weight) as weight,
    count(*) over (partition by is_after) as names
from did
group by is_after, event_type
qualify row_number() over (partition by is_after order by people desc, event_type) <= $most
order by is_after, people desc, event_type
