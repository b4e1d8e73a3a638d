-- Which events are in the files of the snapshot, without those of people who are being erased?
select {columns}
from read_parquet($files) as event
anti join erased
    on event.user_hash = erased.identity_hash
    and (event.user_id is null) = erased.is_anonymous
    and event.created_at >= erased.from_at
    and event.created_at <= erased.until_at
    and event.received_at <= erased.received_until
