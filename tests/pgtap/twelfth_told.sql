-- S528: a foreign key that was there before the masks tells masked values by what it refuses, and by its cascades.
\ir setup.psql
SELECT no_plan();
SET LOCAL client_min_messages = error;

CREATE ROLE test_owner;
CREATE ROLE test_mallory;
CREATE SCHEMA shop AUTHORIZATION test_owner;
CREATE SCHEMA own AUTHORIZATION test_mallory;
GRANT USAGE ON SCHEMA shop, entitle TO test_mallory;
GRANT USAGE ON SCHEMA own TO test_owner;
GRANT EXECUTE ON FUNCTION entitle.protect_table TO test_owner;
SET LOCAL ROLE test_owner;
CREATE TABLE shop.doc (id bigint PRIMARY KEY, customer_id bigint, price integer UNIQUE, code text UNIQUE, UNIQUE (id, price));
CREATE TABLE shop.part (id bigint PRIMARY KEY, customer_id bigint, price integer, UNIQUE (id, price)) PARTITION BY RANGE (id);
CREATE TABLE shop.part_1 PARTITION OF shop.part FOR VALUES FROM (0) TO (100);
CREATE UNIQUE INDEX ON shop.part_1 (price);
CREATE TABLE shop.own_one (price integer REFERENCES shop.doc (price));
CREATE TABLE shop.own_masked (id integer PRIMARY KEY, customer_id bigint, price integer REFERENCES shop.doc (price), other integer REFERENCES shop.doc (price));
GRANT INSERT ON shop.own_masked TO test_app;
GRANT REFERENCES ON shop.doc, shop.part, shop.part_1 TO test_mallory;
INSERT INTO shop.doc VALUES (1, 1, 10, 'x');
SET LOCAL ROLE test_mallory;
CREATE TABLE own.probe (price integer REFERENCES shop.doc (price) ON UPDATE CASCADE);
CREATE TABLE own.late (price integer);
ALTER TABLE own.late ADD FOREIGN KEY (price) REFERENCES shop.doc (price) NOT VALID;
CREATE TABLE own.pair (id bigint, price integer, CONSTRAINT "a pair" FOREIGN KEY (id, price) REFERENCES shop.doc (id, price)) PARTITION BY LIST (id);
CREATE TABLE own.pair_1 PARTITION OF own.pair FOR VALUES IN (1);
CREATE TABLE own.parts (id bigint, price integer, FOREIGN KEY (id, price) REFERENCES shop.part (id, price));
CREATE TABLE own.part_1 (price integer REFERENCES shop.part_1 (price));
CREATE TABLE own.open (id bigint REFERENCES shop.doc, code text REFERENCES shop.doc (code));
RESET ROLE;

CREATE FUNCTION told(masks jsonb, update_level integer DEFAULT NULL) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    SET LOCAL ROLE test_owner;
    PERFORM entitle.protect_table('shop.doc', 'customer_id', min_level => 20, masked_columns => masks),
            entitle.protect_table('shop.part', 'customer_id', min_level => 20, masked_columns => masks);
    RESET ROLE;
    RETURN (SELECT string_agg(object || ': ' || finding, E'\n' ORDER BY object, finding) FROM entitle.lint() WHERE finding ~ 'foreign key .* tells');
END
$$;
SELECT is(told('{}'), NULL, 'nothing is masked');
SELECT is(told('{"price": 30}'), concat_ws(E'\n',
    'own.late: the foreign key late_price_fkey tells masked columns of table shop.doc to those who write its column and may not read them',
    'own.pair: the foreign key "a pair" tells masked columns of table shop.doc to those who write its column and may not read them',
    'own.part_1: the foreign key part_1_price_fkey tells masked columns of table shop.part to those who write its column and may not read them',
    'own.parts: the foreign key parts_id_price_fkey tells masked columns of table shop.part to those who write its column and may not read them',
    'own.probe: the foreign key probe_price_fkey tells masked columns of table shop.doc to those who write its column and may not read them',
    'shop.own_masked: the foreign key own_masked_other_fkey tells masked columns of table shop.doc to those who write its column and may not read them',
    'shop.own_masked: the foreign key own_masked_price_fkey tells masked columns of table shop.doc to those who write its column and may not read them'),
    'S528: lint names all that somebody may write who may not read what is masked');

-- A column that is masked as much tells nobody, nor one that only the owner writes.
SET LOCAL ROLE test_owner;
SELECT entitle.protect_table('shop.own_masked', 'customer_id', external_insert_level => 20, masked_columns => '{"price": 30, "other": 20}') \g /dev/null
GRANT INSERT ON shop.own_masked_view TO test_app;
RESET ROLE;
SELECT is((SELECT string_agg(finding, '; ') FROM entitle.lint() WHERE object ~ 'own_' AND finding ~ 'foreign key .* tells'),
          'the foreign key own_masked_other_fkey tells masked columns of table shop.doc to those who write its column and may not read them', 'S528: not where it is masked, too');
UPDATE entitle.protection SET masked_columns = '{"price": "x", "other": 20}' WHERE relation = 'shop.own_masked'::regclass;
SELECT lives_ok($$ SELECT * FROM entitle_internal.masked_readers('shop.doc', '{price}') $$, 'stored nonsense is in nobody''s way');
UPDATE entitle.protection SET masked_columns = '{"price": 30, "other": 20}' WHERE relation = 'shop.own_masked'::regclass;

-- Its remedy.
DO $$
BEGIN
    EXECUTE (SELECT string_agg(remedy, ' ') FROM entitle.lint() WHERE finding ~ 'foreign key .* tells');
END
$$;
SELECT is_empty($$ SELECT * FROM entitle.lint() WHERE finding ~ 'foreign key .* tells' $$, 'the remedies mend it');
SELECT is((SELECT count(*) FROM pg_constraint WHERE conrelid = 'own.open'::regclass AND contype = 'f'), 2::bigint, 'other keys stay');

-- protect_table tells it while it is done.
SET LOCAL ROLE test_owner;
CREATE TABLE shop.later (id bigint PRIMARY KEY, customer_id bigint, price integer UNIQUE);
GRANT REFERENCES ON shop.later TO test_mallory;
SET LOCAL ROLE test_mallory;
CREATE TABLE own.before (price integer REFERENCES shop.later (price));
RESET ROLE;
SET LOCAL ROLE test_owner;
SELECT entitle.protect_table('shop.later', 'customer_id', masked_columns => '{"price": 30}') \g /dev/null
SELECT is((SELECT string_agg(r.remedy, ' ') FROM entitle_internal.masked_readers('shop.later', '{price}') r), 'ALTER TABLE own.before DROP CONSTRAINT before_price_fkey;',
          'S528: as protect_table tells the owner');
RESET ROLE;

SELECT * FROM finish();
ROLLBACK;
