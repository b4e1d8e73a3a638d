-- What do sessions come to by what they say of themselves?
with visits as materialized (
    {visits}
)
select *
from (
    {tables}
)
order by place, case kind when 'value' then 0 when 'other' then 1 else 2 end, sessions desc, value
