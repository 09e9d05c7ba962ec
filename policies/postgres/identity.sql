-- identity.sql - who is asking, for the policies of row-level security.
--
-- To be run once in each database, by its owner or a superuser:
--
--   psql -v login=sallyport -f identity.sql shop
--
-- `login` is the account that Sallyport logs in with (`login:` in
-- sallyport.yaml); more of them (`logins:`) are added with
--
--   INSERT INTO sallyport_identity.logins VALUES ('analysts');
--
-- Then, in a policy:
--
--   CREATE POLICY own ON orders
--       USING (owner = (SELECT sallyport_identity."user"())
--           AND (SELECT sallyport_identity.agent()) IS NULL);
--
-- The brackets and the SELECT have it asked once a query, not once a row.
-- (The schema is not called sallyport: an account of that name would have it
-- first in its search_path.)
--
--   sallyport_identity."user"()  the person; NULL: there is none, or nobody knows
--   sallyport_identity.agent()   the agent; NULL: the person is at the keyboard;
--                       '?': nobody knows whether there is one
--
-- Sallyport tells the database in two ways, and both must agree.  The settings
-- sallyport.user and sallyport.agent are for everybody to read, and a session
-- that ran SQL past Sallyport's eyes (in a function of the database that runs
-- any text) could set them.  What a connection's start gave application_name
-- is beyond all SQL: neither SET nor set_config(), ALTER ROLE, ALTER DATABASE
-- or SET SESSION AUTHORIZATION changes what RESET would give back, and that is
-- what pg_settings.reset_val shows.  It is there for names in ASCII and unless
-- `application_name: client` leaves it to clients; else nobody is known here.
--
-- Who can log in to the database without Sallyport can say to be anybody, so
-- only Sallyport's own accounts are believed.  Nobody else may have their
-- passwords, or be a superuser: nothing holds against one.

\set ON_ERROR_STOP on
\if :{?login}
\else
\set login sallyport
\endif

BEGIN;

CREATE SCHEMA IF NOT EXISTS sallyport_identity;
DO $$BEGIN
    IF (SELECT nspowner <> current_user::regrole
        FROM pg_catalog.pg_namespace WHERE nspname = 'sallyport_identity') THEN
        RAISE 'the schema sallyport_identity is somebody else''s';
    END IF;
END$$;
REVOKE ALL ON SCHEMA sallyport_identity FROM PUBLIC;
GRANT USAGE ON SCHEMA sallyport_identity TO PUBLIC;

CREATE TABLE IF NOT EXISTS sallyport_identity.logins (name name PRIMARY KEY);
REVOKE ALL ON sallyport_identity.logins FROM PUBLIC;
GRANT SELECT ON sallyport_identity.logins TO PUBLIC;
INSERT INTO sallyport_identity.logins VALUES (:'login') ON CONFLICT DO NOTHING;

-- alice, alice+copilot or +nightly; NULL: nobody knows.  A parallel worker
-- has a start of its own, hence RESTRICTED; the path is pinned so that no
-- other =, || or pg_settings is meant.
CREATE OR REPLACE FUNCTION sallyport_identity.proved() RETURNS text
    LANGUAGE sql STABLE PARALLEL RESTRICTED
    SET search_path = pg_catalog, pg_temp
    AS $$
SELECT s.reset_val
FROM pg_catalog.pg_settings s,
    (SELECT coalesce(pg_catalog.current_setting('sallyport.user', true), ''),
        coalesce(pg_catalog.current_setting('sallyport.agent', true), ''))
        told(person, agent)
WHERE s.name = 'application_name'
    AND s.reset_val <> ''
    AND s.reset_val = told.person ||
        CASE WHEN told.agent = '' THEN '' ELSE '+' || told.agent END
    AND EXISTS (SELECT FROM sallyport_identity.logins l WHERE l.name = session_user)
$$;

CREATE OR REPLACE FUNCTION sallyport_identity."user"() RETURNS text
    LANGUAGE sql STABLE PARALLEL RESTRICTED
    SET search_path = pg_catalog, pg_temp
    AS $$
SELECT nullif(pg_catalog.split_part(sallyport_identity.proved(), '+', 1), '')
$$;

CREATE OR REPLACE FUNCTION sallyport_identity.agent() RETURNS text
    LANGUAGE sql STABLE PARALLEL RESTRICTED
    SET search_path = pg_catalog, pg_temp
    AS $$
SELECT nullif(pg_catalog.split_part(coalesce(sallyport_identity.proved(), '+?'), '+', 2),
    '')
$$;

COMMIT;
