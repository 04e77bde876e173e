-- Signed tokens. The setting entitle.token needs no function: whoever has a token may show it.

CREATE FUNCTION entitle.sign_in_token(token text, session_wide boolean DEFAULT false) RETURNS bigint
    LANGUAGE C VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'entitle_sign_in_token';
COMMENT ON FUNCTION entitle.sign_in_token(text, boolean) IS
    'Signs in the user of a signed token (JWT) until the end of the transaction, or session_wide, in both cases no longer than the token lives'
    '. Raises 28000: the token does not verify';
REVOKE ALL ON FUNCTION entitle.sign_in_token(text, boolean) FROM PUBLIC;
