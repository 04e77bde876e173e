-- One user's turn at the filtered view in the tour, for login, title and expected (masked_columns): the latest order that shows.
BEGIN;
SELECT entitle.sign_in(:'login') \gset
SELECT quantity, item, coalesce(price::text, '') AS price, coalesce(discount::text, '') AS discount,
       coalesce(amount::text, '') AS amount, masked_columns
FROM shop.orders_view
ORDER BY placed_on DESC, order_id
LIMIT 1 \gset
COMMIT;
SELECT format('%-41s %3s %-16s %8s %8s %8s  %s', :'login' || ', ' || :'title', :'quantity', :'item', :'price', :'discount', :'amount', :'masked_columns');
SELECT pg_temp.expect(:'login' || ': masked columns', :'masked_columns', :'expected') \g /dev/null
