SELECT 'it''s', E'a\nb', "a ""b""", $$x;$$, $tag$ ; $tag$, U&'\00e4', x'ff', 1e5, .5, 1_000, :name, :'name', :"name", $1, a::int -- end
/* one /* two */ ; */ FROM t@v3 WHERE a <=> b AND c !~ 'x' \gx
\set name a b
.tables
%%sql SELECT 1
CREATE FUNCTION f(x INT) RETURNS INT LANGUAGE RUST AS $$ x; 'a' $$;
