-- What do the events hold of the properties that the question names? Each is read once: `random() < 1` is always true, and keeps the engine from reading it again wherever it is named.
select *,
    case when {is_asked} then json_type(properties, {pointers}::varchar[]) end as property_kinds,
    case when {is_asked} then json_extract_string(properties, {pointers}::varchar[]) end as property_texts
from (
    {events}
)
