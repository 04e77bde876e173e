-- Brands by other keys than their number, as customers have them: for tables that name them by uuid or text. Nobody has to have one.

ALTER TABLE entitle.brand
    ADD COLUMN brand_uuid uuid CONSTRAINT brand_uuid_key UNIQUE,
    ADD COLUMN brand_code text COLLATE "C" CONSTRAINT brand_code_key UNIQUE
        CONSTRAINT brand_code_check CHECK (btrim(brand_code, E' \t\n\r\f\x0b') <> '');
COMMENT ON COLUMN entitle.brand.brand_uuid IS 'Second key, for tables that refer to brands by uuid; NULL for none';
COMMENT ON COLUMN entitle.brand.brand_code IS 'Third key, for tables that refer to brands by text; byte for byte (R4), NULL for none';
