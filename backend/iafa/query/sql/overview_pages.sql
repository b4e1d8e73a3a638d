-- Which pages were viewed, how often, by how many people?
select page, count(*) as views, count(distinct person) as people
from (
    select person, {page} as page
    from (
        {events}
    )
    where event_type = $page_event and url is not null
)
group by page
order by views desc, page
limit $groups
