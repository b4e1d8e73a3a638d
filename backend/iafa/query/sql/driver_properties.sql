-- How many people have which value of a property, a number from a threshold on or the property at all, and how many of them converted?
with chosen as (
    {chosen}
),
facts as (
    select is_stage, true as is_column, converted, weight, place, text as plain, 'VARCHAR' as kind
    from (
        select is_stage, converted, weight, unnest(range({columns})) as place, unnest([{texts}]) as text
        from chosen
    )
    where text is not null
    union all
    select is_stage, false, converted, weight, place, plain, kind
    from (
        select is_stage, converted, weight, unnest(range(len($pointers))) as place,
            unnest(json_extract_string(properties, $pointers)) as plain, unnest(json_type(properties, $pointers)) as kind
        from chosen
    )
    where kind <> 'NULL'
),
counted as materialized (
    select is_stage, is_column, place, {text} as text, {number} as number,
        count(*) as people, sum(converted)::bigint as converted, bit_xor(weight) as weight
    from facts
    group by all
),
known as materialized (
    select is_stage, is_column, place, sum(people)::bigint as people, sum(converted)::bigint as converted,
        bit_xor(weight) as weight, count(text) as texts, count(distinct number) as numbers,
        coalesce(sum(people) filter (number is not null), 0)::bigint as with_number,
        coalesce(bool_and(number = floor(number)), false) as are_whole
    from counted
    group by all
),
numeric_known as (
    select is_stage, is_column, place, with_number
    from known
    where with_number >= $numeric_share * people
        and numbers > $values_most
        and not (are_whole and numbers = with_number)
),
running as materialized (
    select counted.*, with_number, sum(people) over (
        partition by is_stage, is_column, place
        order by number
    ) as upto
    from counted
    join numeric_known using (is_stage, is_column, place)
    where number is not null
),
cuts as (
    select distinct is_stage, is_column, place, cut
    from (
        select is_stage, is_column, place, share, min(number) as cut
        from running, (select unnest($shares) as share)
        where upto >= share * with_number
        group by is_stage, is_column, place, share
    )
)
select 'known' as part, is_stage, is_column, place, null as text, null as cut, people, converted, weight, texts
from known
union all
select 'cut', is_stage, is_column, place, null, cut, sum(people)::bigint, sum(running.converted)::bigint, bit_xor(weight), 0
from running
join cuts using (is_stage, is_column, place)
where number >= cut
group by all
union all
select 'text', is_stage, is_column, place, text, null, people, converted, weight, count(*) over (
    partition by is_stage, is_column, place
)
from counted
anti join numeric_known using (is_stage, is_column, place)
where text is not null
    and people >= $people_least
qualify row_number() over (partition by is_stage, is_column, place order by people desc, text) <= $values_most
order by is_stage, is_column, place, part, people desc, text
