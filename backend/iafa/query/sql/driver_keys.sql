-- Which properties do the events have, on how many each, and how many properties are there?
select is_stage, key, count(*) as people, count(*) over (partition by is_stage) as keys
from (
    select is_stage, unnest(json_keys(properties)) as key
    from (
        {chosen}
    )
)
group by is_stage, key
qualify row_number() over (partition by is_stage order by people desc, key) <= $most
order by is_stage, people desc, key
