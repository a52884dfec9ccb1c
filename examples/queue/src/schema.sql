-- What is read: the ids in their order. The checkpoint of a part holds positions in this list.
create table reading (
    only_one boolean primary key default true check (only_one),
    ids text[] not null
);

-- A part of the reading, and where it stands.
create table parts (
    part integer primary key,
    -- `json` keeps the text as it was written. `jsonb` would write its numbers anew.
    checkpoint json not null,
    finished boolean not null,
    -- It rises with each batch, and when a worker begins: the fence against a late worker.
    version bigint not null default 0,
    -- How often a worker began.
    begun integer not null default 0
);

create table associations (
    from_id text not null,
    to_id text not null,
    types jsonb not null,
    primary key (from_id, to_id)
);

-- The ids that the service rejects. A failure that names no id is here too.
create table failures (
    id text unique,
    message text not null
);
