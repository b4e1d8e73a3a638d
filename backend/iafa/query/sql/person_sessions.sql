-- Which were the latest sessions? A pause longer than the gap begins a new one.
select epoch_us(min(created_at)), epoch_us(max(created_at)), count(*) as events,
    arg_min(url, (created_at, id)) filter (where url is not null),
    arg_max(url, (created_at, id)) filter (where url is not null), arg_min(referrer, (created_at, id)) filter (where referrer is not null)
from (
    select *, count(*) filter (where begins) over (
            order by created_at, id
            rows between unbounded preceding and current row
        ) as session
    from (
        select *, coalesce(epoch_us(created_at) - lag(epoch_us(created_at)) over (
            order by created_at, id
        ) > $session_gap_us, true) as begins
        from theirs
    )
)
group by session
order by min(created_at) desc
limit $sessions_max
