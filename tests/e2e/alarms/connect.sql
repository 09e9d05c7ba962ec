--: as alice+copilot under read-only-agent
-- What drivers and tools say when they connect, and around statements.

SELECT 1;

SELECT 1 AS "one";

select 1 as x;

;

--
SELECT ''::text;

SET client_min_messages TO WARNING;

SET client_min_messages TO 'warning';

SET standard_conforming_strings = on;

SHOW standard_conforming_strings;

SHOW client_encoding;

SET client_encoding TO 'UTF8';

SET client_encoding = 'unicode';

SET NAMES 'utf8';

SET TIME ZONE 'UTC';

SET TIME ZONE DEFAULT;

SET SESSION timezone TO 'UTC';

SET TIMEZONE = 'Europe/Berlin';

SET LOCAL TIME ZONE 'UTC';

SET TIME ZONE INTERVAL '+00:00' HOUR TO MINUTE;

SHOW TIME ZONE;

SHOW timezone;

SET datestyle TO ISO;

SET DateStyle='ISO, MDY';

SET intervalstyle TO iso_8601;

RESET intervalstyle;

SET extra_float_digits = 3;

SET bytea_output = 'hex';

SET statement_timeout = 30000;

SET lock_timeout = '5s';

SET idle_in_transaction_session_timeout = 60000;

SET search_path TO public;

SET search_path = "$user", public, pg_catalog;

SHOW search_path;

SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL READ COMMITTED;

SET SESSION CHARACTERISTICS AS TRANSACTION READ WRITE;

SHOW TRANSACTION ISOLATION LEVEL;

SHOW transaction_isolation;

show default_transaction_isolation;

SHOW transaction_read_only;

SHOW server_version;

SHOW server_version_num;

SHOW max_identifier_length;

SHOW lc_collate;

SHOW is_superuser;

SHOW search_path;

show ssl;

--: differs version
select version();

SELECT pg_catalog.version();

select pg_catalog.version();

select current_schema();

SELECT current_schema;

select current_schema(), session_user, current_database();

SELECT current_database(), current_schemas(true), user;

SELECT CURRENT_USER, SESSION_USER;

SELECT current_setting('server_version_num')::int AS v;

SELECT current_setting('max_index_keys')::int;

SELECT current_setting('is_superuser');

select t.oid, typarray from pg_type t join pg_namespace ns on typnamespace = ns.oid where typname = 'hstore';

select oid, typarray from pg_type where typname = 'citext' and pg_type_is_visible(oid);

SELECT CAST('test plain returns' AS VARCHAR(60)) AS anon_1;

SELECT CAST('test unicode returns' AS VARCHAR(60)) AS anon_1;

SELECT 'x' AS some_label;

select relname from pg_class c join pg_namespace n on n.oid=c.relnamespace where pg_catalog.pg_table_is_visible(c.oid) and relname='articles';

SELECT t.oid, t.typname FROM pg_type as t WHERE t.typname IN ('int2', 'int4', 'int8', 'oid', 'float4', 'float8', 'numeric', 'bool', 'timestamp', 'timestamptz') ORDER BY 1;

SELECT t.oid, t.typname, t.typelem, t.typdelim, t.typinput, r.rngsubtype, t.typtype, t.typbasetype FROM pg_type as t LEFT JOIN pg_range as r ON oid = rngtypid WHERE t.typname IN ('int2', 'int4', 'int8', 'oid', 'float4', 'float8', 'text', 'varchar', 'char', 'name', 'bpchar', 'bool', 'bit', 'varbit', 'date', 'money', 'bytea', 'point', 'hstore', 'json', 'jsonb', 'cidr', 'inet', 'uuid', 'xml', 'tsvector', 'macaddr', 'citext', 'ltree', 'line', 'lseg', 'box', 'path', 'polygon', 'circle', 'numeric', 'interval', 'time', 'timestamp', 'timestamptz') OR t.typtype IN ('r', 'e', 'd') OR t.typinput = 'array_in(cstring,oid,integer)'::regprocedure OR t.typelem != 0 ORDER BY t.oid;

SELECT typinput='array_in'::regproc as is_array, typtype, typname, pg_type.oid FROM pg_type LEFT JOIN (select ns.oid as nspoid, ns.nspname, r.r from pg_namespace as ns join ( select s.r, (current_schemas(false))[s.r] as nspname from generate_series(1, array_upper(current_schemas(false), 1)) as s(r) ) as r using ( nspname ) ) as sp ON sp.nspoid = typnamespace WHERE pg_type.oid = 23 ORDER BY sp.r, pg_type.oid DESC;

SELECT n.nspname = ANY(current_schemas(true)), n.nspname, t.typname FROM pg_catalog.pg_type t JOIN pg_catalog.pg_namespace n ON t.typnamespace = n.oid WHERE t.oid = 25;

SELECT ns.nspname, t.oid, t.typname, t.typtype, t.typnotnull, t.elemtypoid FROM (
    -- Arrays have typtype=b - this subquery identifies them by their typreceive and converts their typtype to a
    -- We first do this for the type (innerest-most subquery), and then for its element type
    -- This also returns the array element, range subtype and domain base type as elemtypoid
    SELECT typ.oid, typ.typnamespace, typ.typname, typ.typtype, typ.typrelid, typ.typnotnull, typ.relkind,
        elemtyp.oid AS elemtypoid, elemtyp.typname AS elemtypname, elemcls.relkind AS elemrelkind,
        CASE WHEN elemproc.proname='array_recv' THEN 'a' ELSE elemtyp.typtype END AS elemtyptype
    FROM (
        SELECT typ.oid, typnamespace, typname, typrelid, typnotnull, relkind, typelem AS elemoid,
            CASE WHEN proc.proname='array_recv' THEN 'a' ELSE typ.typtype END AS typtype,
            CASE WHEN proc.proname='array_recv' THEN typ.typelem
                 WHEN typ.typtype='r' THEN rngsubtype
                 WHEN typ.typtype='m' THEN (SELECT rngtypid FROM pg_range WHERE rngmultitypid = typ.oid)
                 WHEN typ.typtype='d' THEN typ.typbasetype END AS elemtypoid
        FROM pg_type AS typ
        LEFT JOIN pg_class AS cls ON (cls.oid = typ.typrelid)
        LEFT JOIN pg_proc AS proc ON proc.oid = typ.typreceive
        LEFT JOIN pg_range ON (pg_range.rngtypid = typ.oid)
    ) AS typ
    LEFT JOIN pg_type AS elemtyp ON elemtyp.oid = elemtypoid
    LEFT JOIN pg_class AS elemcls ON (elemcls.oid = elemtyp.typrelid)
    LEFT JOIN pg_proc AS elemproc ON elemproc.oid = elemtyp.typreceive
) AS t
JOIN pg_namespace AS ns ON (ns.oid = typnamespace)
WHERE
    typtype IN ('b', 'r', 'm', 'e', 'd') OR -- Base, range, multirange, enum, domain
    (typtype = 'c' AND relkind='c') OR -- User-defined free-standing composites (not table composites) by default
    (typtype = 'p' AND typname IN ('record', 'void', 'unknown')) OR -- Some special supported pseudo-types
    (typtype = 'a' AND (elemtyptype IN ('b', 'r', 'm', 'e', 'd') OR (elemtyptype = 'p' AND elemtypname IN ('record', 'void')) OR (elemtyptype = 'c' AND elemrelkind='c')))
ORDER BY CASE WHEN typtype IN ('b', 'e', 'p') THEN 0 WHEN typtype = 'c' THEN 1 WHEN typtype = 'r' THEN 2 ELSE 3 END, ns.nspname, t.typname;

-- Load field definitions for (free-standing) composite types
SELECT typ.oid, att.attname, att.atttypid
FROM pg_type AS typ
JOIN pg_namespace AS ns ON (ns.oid = typ.typnamespace)
JOIN pg_class AS cls ON (cls.oid = typ.typrelid)
JOIN pg_attribute AS att ON (att.attrelid = typ.typrelid)
WHERE (typ.typtype = 'c' AND cls.relkind='c') AND attnum > 0 AND NOT attisdropped
ORDER BY typ.oid, att.attnum;

-- Load enum fields
SELECT pg_type.oid, enumlabel FROM pg_enum JOIN pg_type ON pg_type.oid=enumtypid ORDER BY oid, enumsortorder;

SELECT e.enumlabel FROM pg_catalog.pg_enum e WHERE e.enumtypid = 'article_state'::regtype ORDER BY e.enumsortorder;

SELECT t.typname AS name, t.oid AS oid, t.typarray AS array_oid, t.oid::regtype::text AS regtype, t.typdelim AS delimiter FROM pg_type t WHERE t.oid = to_regtype('article_state') ORDER BY t.oid;

SELECT t.typname AS name, t.oid AS oid, t.typarray AS array_oid, array_agg(x.enumlabel) AS labels FROM pg_type t LEFT JOIN (SELECT e.enumtypid, e.enumlabel FROM pg_enum e ORDER BY e.enumsortorder) x ON x.enumtypid = t.oid WHERE t.oid = 'article_state'::regtype GROUP BY t.typname, t.oid, t.typarray;

select string_agg(word, ',') from pg_catalog.pg_get_keywords() where word <> ALL ('{a,abs,absolute,action}'::text[]);

SELECT setting FROM pg_catalog.pg_settings WHERE name='max_index_keys';

select name, setting from pg_settings where name in ('standard_conforming_strings', 'server_version') order by name;

SELECT set_config('bytea_output','hex',false) FROM pg_catalog.pg_settings WHERE name = 'bytea_output';

SELECT pg_catalog.set_config('search_path', '', false);

SELECT pg_catalog.set_config('search_path', 'public', false);

select set_config('TimeZone', 'UTC', true);

SELECT pg_is_in_recovery();

SELECT pg_catalog.pg_is_in_recovery(), pg_catalog.current_setting('default_transaction_read_only');

select pg_encoding_to_char(encoding) from pg_database where datname = current_database();

SELECT d.datname, pg_catalog.pg_get_userbyid(d.datdba) AS owner, pg_catalog.pg_encoding_to_char(d.encoding), d.datcollate FROM pg_catalog.pg_database d WHERE d.datname = current_database();

SELECT rolname, rolsuper, rolcreaterole, rolcreatedb FROM pg_catalog.pg_roles WHERE rolname = current_user;

SELECT usesuper FROM pg_catalog.pg_user WHERE usename = current_user;

SELECT extname, extversion FROM pg_extension ORDER BY 1;

SELECT name, default_version, installed_version FROM pg_available_extensions WHERE name = 'plpgsql';

SELECT CASE WHEN usesuper THEN pg_catalog.current_setting('is_superuser') ELSE 'off' END FROM pg_user WHERE usename = current_user;

BEGIN;

SELECT 1;

COMMIT;

BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY;

SELECT count(*) FROM orders;

ROLLBACK;

START TRANSACTION READ ONLY;

SET TRANSACTION ISOLATION LEVEL SERIALIZABLE;

COMMIT;

BEGIN ISOLATION LEVEL READ COMMITTED;

SAVEPOINT "s139872_x1";

SELECT 1 FROM orders WHERE id = 1;

RELEASE SAVEPOINT "s139872_x1";

SAVEPOINT active_record_1;

ROLLBACK TO SAVEPOINT active_record_1;

RELEASE active_record_1;

SAVEPOINT _EFSavePoint;

END;

begin; select 1; commit;

BEGIN; SET LOCAL statement_timeout = '10s'; SELECT count(*) FROM orders; COMMIT;

PREPARE by_id (integer) AS SELECT status FROM orders WHERE id = $1;

EXECUTE by_id (7);

EXECUTE by_id(8);

DEALLOCATE by_id;

DEALLOCATE ALL;

DISCARD PLANS;

CLOSE ALL;

UNLISTEN *;

LISTEN changes;

UNLISTEN changes;

RESET statement_timeout;

RESET ALL;

SELECT pg_try_advisory_lock(3834529183);

SELECT pg_advisory_unlock(3834529183);

SELECT pg_advisory_lock(72707369);

SELECT pg_advisory_unlock(72707369);

SELECT pg_advisory_unlock_all();

SELECT pg_advisory_lock(hashtext('migration'));

SELECT pg_advisory_unlock(hashtext('migration'));

BEGIN;

SELECT pg_advisory_xact_lock(1, 2);

SELECT pg_try_advisory_xact_lock(3);

COMMIT;

DISCARD ALL;
