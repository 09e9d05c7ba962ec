-- What the false-alarm statements run on, beside the shop: tables with names
-- that look like statements, a blog as ORMs make one, and a stream of events.
-- Every value is computed, so each loading gives the same rows.

\set ON_ERROR_STOP on
SET client_min_messages = warning;

BEGIN;

-- Names that are words of SQL, quoted where they must be -----------------------

CREATE TABLE "Order Items" (
    id             integer PRIMARY KEY,
    "select"       integer,
    delete         boolean,
    update         text,
    "grant"        text,
    insert         integer,
    "order"        integer,
    "limit"        integer,
    "offset"       integer,
    "group"        text,
    "where"        text,
    where_clause   text,
    "from"         date,
    "user"         text,
    "table"        text,
    "DROP TABLE"   text,
    truncate       boolean,
    copy           integer,
    execute        text,
    "do"           text,
    call           text,
    "returning"    text,
    "camelCase"    text,
    "with ""quote" text,
    "größe"        numeric,
    updated_at     timestamptz,
    deleted_at     timestamptz
);
INSERT INTO "Order Items"
SELECT n, n * 2, n % 2 = 0, 'update ' || n, 'grant all', n, n % 7, n % 5,
    n % 3, 'group ' || n % 4, 'where 1 = 1', 'x = ' || n,
    date '2025-01-01' + n, 'user ' || n, 'table', 'DROP TABLE customers;',
    n % 3 = 0, n, 'EXECUTE', 'do', 'call', 'returning *', 'camel',
    'quote', n / 4.0, timestamptz '2025-01-01 00:00+00' + n * interval '1 day',
    CASE WHEN n % 6 = 0 THEN timestamptz '2025-03-01 00:00+00' END
FROM generate_series(1, 60) n;

CREATE TABLE "update" (id integer PRIMARY KEY, "set" text);
CREATE TABLE "delete" (id integer PRIMARY KEY, "from" text);
CREATE TABLE "user" (id integer PRIMARY KEY, login text, is_admin boolean);
CREATE TABLE "GRANT" (id integer PRIMARY KEY, amount numeric(10,2));
INSERT INTO "update" SELECT n, 'set ' || n FROM generate_series(1, 5) n;
INSERT INTO "delete" SELECT n, 'from ' || n FROM generate_series(1, 5) n;
INSERT INTO "user" SELECT n, 'login' || n, n = 1 FROM generate_series(1, 9) n;
INSERT INTO "GRANT" SELECT n, n * 1000.5 FROM generate_series(1, 5) n;

-- A blog -------------------------------------------------------------------------

CREATE TYPE article_state AS ENUM ('draft', 'review', 'published');
CREATE DOMAIN positive AS integer CHECK (VALUE > 0);

CREATE TABLE authors (
    id         serial PRIMARY KEY,
    handle     varchar(40) NOT NULL UNIQUE,
    biography  text,
    settings   jsonb NOT NULL DEFAULT '{}',
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);
INSERT INTO authors (handle, biography, settings, created_at, updated_at)
SELECT 'author' || n, 'Wrote ' || n || ' books.',
    jsonb_build_object('theme', CASE n % 2 WHEN 0 THEN 'dark' ELSE 'light' END,
        'limits', jsonb_build_object('drafts', n)),
    timestamptz '2024-01-01 00:00+00' + n * interval '1 day',
    timestamptz '2024-02-01 00:00+00' + n * interval '1 day'
FROM generate_series(1, 20) n;

CREATE TABLE articles (
    id           bigserial PRIMARY KEY,
    author_id    integer NOT NULL REFERENCES authors ON DELETE CASCADE,
    title        varchar(200) NOT NULL,
    slug         varchar(200) NOT NULL UNIQUE,
    body         text,
    tags         text[] NOT NULL DEFAULT '{}',
    meta         jsonb,
    views        positive NOT NULL DEFAULT 1,
    rating       double precision,
    state        article_state NOT NULL DEFAULT 'draft',
    is_deleted   boolean NOT NULL DEFAULT false,
    lock_version integer NOT NULL DEFAULT 0,
    created_at   timestamptz NOT NULL DEFAULT now(),
    updated_at   timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX articles_author ON articles (author_id);
CREATE INDEX articles_lower_title ON articles (lower(title));
CREATE INDEX articles_meta ON articles USING gin (meta);
CREATE INDEX articles_live ON articles (created_at) WHERE NOT is_deleted;
INSERT INTO articles (author_id, title, slug, body, tags, meta, views, rating,
    state, is_deleted, created_at, updated_at)
SELECT 1 + n % 20, 'Article ' || n || CASE n % 9 WHEN 0 THEN ' on DELETE'
        ELSE '' END, 'article-' || n,
    'Body of ' || n || '; DROP TABLE students; -- said Bobby',
    ARRAY['tag' || n % 3, 'tag' || n % 5],
    jsonb_build_object('words', n * 10, 'flags', jsonb_build_array('a', n)),
    n * 3, n / 7.0,
    (ARRAY['draft', 'review', 'published'])[1 + n % 3]::article_state,
    n % 11 = 0, timestamptz '2025-01-01 00:00+00' + n * interval '13 hours',
    timestamptz '2025-02-01 00:00+00' + n * interval '7 hours'
FROM generate_series(1, 300) n;

CREATE TABLE comments (
    id         bigserial PRIMARY KEY,
    article_id bigint NOT NULL REFERENCES articles ON DELETE CASCADE,
    parent_id  bigint REFERENCES comments,
    body       text NOT NULL,
    likes      integer NOT NULL DEFAULT 0,
    created_at timestamptz NOT NULL DEFAULT now()
);
INSERT INTO comments (article_id, parent_id, body, likes, created_at)
SELECT 1 + n % 300, CASE WHEN n > 100 THEN n / 2 END, 'Comment ' || n, n % 17,
    timestamptz '2025-03-01 00:00+00' + n * interval '1 hour'
FROM generate_series(1, 600) n;

CREATE TABLE article_tags (
    article_id bigint NOT NULL REFERENCES articles ON DELETE CASCADE,
    tag_id     integer NOT NULL,
    PRIMARY KEY (article_id, tag_id)
);
INSERT INTO article_tags SELECT n, n % 12 FROM generate_series(1, 300) n;

CREATE TABLE schema_migrations (version varchar PRIMARY KEY);
INSERT INTO schema_migrations VALUES ('20250101000000'), ('20250201000000');
CREATE TABLE ar_internal_metadata (
    key varchar PRIMARY KEY, value varchar,
    created_at timestamp(6) NOT NULL, updated_at timestamp(6) NOT NULL
);
INSERT INTO ar_internal_metadata VALUES ('environment', 'production',
    '2025-01-01', '2025-01-01');
CREATE TABLE django_migrations (
    id bigserial PRIMARY KEY, app varchar(255) NOT NULL,
    name varchar(255) NOT NULL, applied timestamptz NOT NULL
);
INSERT INTO django_migrations (app, name, applied)
VALUES ('blog', '0001_initial', '2025-01-01 00:00+00');

-- Events ---------------------------------------------------------------------------

CREATE TABLE events (
    id       bigint PRIMARY KEY,
    at       timestamptz NOT NULL,
    kind     text NOT NULL,
    payload  jsonb NOT NULL,
    took     numeric(8,3),
    visitor  uuid,
    labels   text[]
);
INSERT INTO events
SELECT n, timestamptz '2025-06-01 00:00+00' + n * interval '17 minutes',
    (ARRAY['view', 'click', 'buy', 'drop table'])[1 + n % 4],
    jsonb_build_object('page', '/p/' || n % 20, 'price', n % 90,
        'items', jsonb_build_array(n % 3, n % 4, n % 5),
        'update', n % 2 = 0),
    n % 1000 / 8.0, md5(n::text)::uuid, ARRAY['l' || n % 3, 'l' || n % 4]
FROM generate_series(1, 2000) n;

CREATE SCHEMA warehouse;
CREATE TABLE warehouse.order_facts (LIKE public.orders);
CREATE TABLE warehouse.item_facts (id integer, order_id integer, things integer);
CREATE TABLE order_items (id integer PRIMARY KEY, order_id integer, things integer);
INSERT INTO order_items SELECT n, n, n % 4 FROM generate_series(1, 100) n;
CREATE TABLE order_notes (id integer PRIMARY KEY, order_id integer, note text,
    updated_at timestamptz);
INSERT INTO order_notes SELECT n, n, 'note ' || n, '2025-01-01'
FROM generate_series(1, 100) n;

GRANT USAGE ON SCHEMA warehouse TO public;
GRANT ALL ON ALL TABLES IN SCHEMA public, warehouse TO public;
GRANT ALL ON ALL SEQUENCES IN SCHEMA public TO public;

COMMIT;
VACUUM ANALYZE;
