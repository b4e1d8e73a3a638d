-- Who of each cohort came back, and when? Rows of period -1 have the sizes of the cohorts.
with event as not materialized (
    select person, time_us, {is_start} as is_start, {is_return} as is_return{start_columns}
    from (
        {events}
    )
),
began as (
    select person, min(time_us) as start_us{start_values}
    from event
    where is_start and time_us < $start_to_us{and_in_range}
    group by person
    having min(time_us) >= $start_from_us
),
cohort as (
    select person, start_us, ({cohort_of})::bigint as cohort, {start_id} as start_id, {value} as value
    from began
),
came_back as (
    select person, coalesce(bit_or(case when time_us > start_us and period <= $periods then 1::bigint << period end), 0)
        | (case when count(*) filter (where time_us = start_us) > {own} then 1 else 0 end) as periods
    from (
        select cohort.person, event.time_us, cohort.start_us, {period}::integer as period
        from event
        join cohort on event.person = cohort.person
        where event.is_return and event.time_us >= cohort.start_us{and_not_itself}
    )
    group by person
),
counted as materialized (
    select cohort, value, coalesce(periods, 0) as periods, count(*) as people
    from cohort
    left join came_back using (person)
    group by all
),
place as (
    select value, row_number() over (order by sum(people) desc, value) as place
    from counted
    where value is not null
    group by value
),
grouped as (
    select case when value is null then 'none' when place <= $groups then 'value' else 'other' end as kind,
        case when place <= $groups then value end as shown, cohort, periods, sum(people)::bigint as people
    from counted
    left join place using (value)
    group by all
)
select kind, shown, cohort, period, sum(people)::bigint as people
from grouped
cross join range(-1, $periods + 1) as every(period)
where period = -1 or {is_back}
group by all
order by all
